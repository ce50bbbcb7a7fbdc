// GitHub's own throttling and retry plugins know the test server's refusals for what they are, and wait as told.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { GITHUB_API_URL: baseUrl, GITHUB_ORG: org, GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: privateKey } = process.env
const { App, Octokit } = await import(pathToFileURL(join(process.env.NODE_PATH, 'octokit/dist-bundle/index.js')))
const seen = []
const Patient = Octokit.defaults({
    baseUrl,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    throttle: {
        onRateLimit: () => { seen.push('primary'); return false },
        onSecondaryRateLimit: (after, options, octokit, tries) => { seen.push(`secondary ${after}`); return tries < 1 },
    },
})
const app = new App({ appId: Number(appId), privateKey, Octokit: Patient })
const { data: installation } = await app.octokit.rest.apps.getOrgInstallation({ org })
const octokit = await app.getInstallationOctokit(installation.id)
const names = ['a', 'b', 'c', 'd']
for (const name of names) await octokit.rest.repos.createInOrg({ org, name, private: true })
const { data: all } = await octokit.rest.repos.listForOrg({ org })
assert.deepEqual(all.map((one) => one.name).sort(), names)
assert.deepEqual(seen, ['secondary 1'])
console.log('fine')
