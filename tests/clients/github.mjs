// GitHub's own client against the test server: what works on GitHub works there, and what GitHub refuses is refused.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { GITHUB_API_URL: baseUrl, GITHUB_GIT_URL: web, GITHUB_ORG: org, GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: privateKey } = process.env
const modules = process.env.NODE_PATH
const { App, Octokit } = await import(pathToFileURL(join(modules, 'octokit/dist-bundle/index.js')))
const sodium = createRequire(join(modules, 'x.js'))('libsodium-wrappers')
await sodium.ready

const Local = Octokit.defaults({ baseUrl, throttle: { enabled: false }, retry: { enabled: false }, log: { debug() {}, info() {}, warn() {}, error() {} } })
const app = new App({ appId: Number(appId), privateKey, Octokit: Local })
const fails = async (status, promise) => {
    const error = await promise.then(() => undefined, (error) => error)
    assert.equal(error?.status, status, `${error?.message} ${JSON.stringify(error?.response?.data)}`)
    return error
}

// Who it is.
const { data: self } = await app.octokit.rest.apps.getAuthenticated()
assert.equal(self.id, Number(appId))
const { data: installation } = await app.octokit.rest.apps.getOrgInstallation({ org })
assert.equal(installation.account.login, org)
const octokit = await app.getInstallationOctokit(installation.id)

// Create: once, by everybody's rules.
const { data: repo } = await octokit.rest.repos.createInOrg({ org, name: 'payments-api', visibility: 'private', description: 'Takes payments' })
assert.equal(repo.full_name, `${org}/payments-api`)
assert.equal(repo.visibility, 'private')
assert.equal(repo.description, 'Takes payments')
assert.match((await fails(422, octokit.rest.repos.createInOrg({ org, name: 'payments-api' }))).message, /name already exists on this account/)
await fails(409, octokit.rest.git.createBlob({ owner: org, repo: 'payments-api', content: 'x' }))
await fails(404, new Local().rest.repos.get({ owner: org, repo: 'payments-api' }))

// Push by git, with the token of the installation.
const { token } = await octokit.auth({ type: 'installation' })
const work = mkdtempSync(join(tmpdir(), 'github-'))
const remote = (secret) => `${web.replace('://', `://x-access-token:${secret}@`)}/${org}/payments-api.git`
const git = (...args) => execFileSync('git', ['-c', 'user.name=idp', '-c', 'user.email=idp@example.com', ...args], {
    cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: work, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' },
})
const refused = (...args) => {
    try { git(...args) } catch (error) { return error.stderr }
    assert.fail(`git ${args.join(' ')} worked`)
}
git('init', '-q', '-b', 'main')
writeFileSync(join(work, 'README.md'), '# Payments\n')
mkdirSync(join(work, '.github/workflows'), { recursive: true })
writeFileSync(join(work, '.github/workflows/ci.yml'), 'on: push\n')
git('add', '.')
git('commit', '-q', '-m', 'Create payments-api')
const narrow = await octokit.auth({ type: 'installation', permissions: { contents: 'write' }, repositoryIds: [repo.id] })
assert.match(refused('push', '-q', remote(narrow.token), 'main'),
    /refusing to allow a GitHub App to create or update workflow `.github\/workflows\/ci.yml` without `workflows` permission/)
const reader = await octokit.auth({ type: 'installation', permissions: { contents: 'read' }, repositoryIds: [repo.id] })
assert.match(refused('push', '-q', remote(reader.token), 'main'), /Write access to repository not granted|403/)
assert.match(refused('push', '-q', remote('ghs_nothing'), 'main'), /Authentication failed/)
git('push', '-q', remote(token), 'main')
const { data: branch } = await octokit.rest.repos.getBranch({ owner: org, repo: 'payments-api', branch: 'main' })
assert.equal(branch.commit.sha, git('rev-parse', 'HEAD').trim())
git('clone', '-q', remote(token), 'clone')

// Narrowed tokens: no more than was granted, and each call its permission.
assert.match((await fails(422, octokit.auth({ type: 'installation', permissions: { organization_hooks: 'write' } }))).message, /not granted to this installation/)
const only = new Local({ auth: reader.token })
const denied = await fails(403, only.rest.repos.replaceAllTopics({ owner: org, repo: 'payments-api', names: ['node'] }))
assert.match(denied.message, /Resource not accessible by integration/)
assert.equal(denied.response.headers['x-accepted-github-permissions'], 'administration=write')

// Settings.
const at = { owner: org, repo: 'payments-api' }
await octokit.rest.repos.replaceAllTopics({ ...at, names: ['node', 'payments'] })
await octokit.rest.teams.addOrUpdateRepoPermissionsInOrg({ org, team_slug: 'payments', ...at, permission: 'maintain' })
const { data: teams } = await octokit.rest.repos.listTeams(at)
assert.deepEqual(teams.map((team) => [team.slug, team.permission]), [['payments', 'maintain']])
const { data: held } = await octokit.rest.teams.checkPermissionsForRepoInOrg({ org, team_slug: 'payments', ...at, headers: { accept: 'application/vnd.github.v3.repository+json' } })
assert.equal(held.role_name, 'maintain')
await fails(404, octokit.rest.teams.getByName({ org, team_slug: 'nobody' }))
await octokit.rest.repos.addCollaborator({ ...at, username: 'alex-ruiz', permission: 'push' })
const { data: invited } = await octokit.rest.repos.addCollaborator({ ...at, username: 'eve-elsewhere', permission: 'pull' })
assert.equal(invited.invitee.login, 'eve-elsewhere')
await octokit.rest.repos.createOrUpdateEnvironment({ ...at, environment_name: 'production', wait_timer: 30 })
await octokit.rest.actions.createRepoVariable({ ...at, name: 'REGION', value: 'eu' })
await fails(409, octokit.rest.actions.createRepoVariable({ ...at, name: 'region', value: 'eu' }))
await octokit.rest.actions.createEnvironmentVariable({ ...at, environment_name: 'production', name: 'REGION', value: 'us' })
const { data: variables } = await octokit.rest.actions.listRepoVariables(at)
assert.equal(variables.total_count, 1)
await octokit.rest.repos.createWebhook({ ...at, config: { url: 'https://ci.example.com/hook', content_type: 'json', secret: 's' }, events: ['push'] })
await fails(422, octokit.rest.repos.createWebhook({ ...at, config: { url: 'https://ci.example.com/hook', content_type: 'json' }, events: ['push'] }))

// A secret is sealed, and the seal is opened.
const { data: key } = await octokit.rest.actions.getRepoPublicKey(at)
const seal = (text) => sodium.to_base64(
    sodium.crypto_box_seal(sodium.from_string(text), sodium.from_base64(key.key, sodium.base64_variants.ORIGINAL)),
    sodium.base64_variants.ORIGINAL)
const secret = (value) => octokit.rest.actions.createOrUpdateRepoSecret({ ...at, secret_name: 'DEPLOY_KEY', key_id: key.key_id, encrypted_value: value })
assert.equal((await secret(seal('hunter2'))).status, 201)
assert.equal((await secret(seal('hunter3'))).status, 204)
await fails(400, secret(Buffer.from('not sealed at all, and long enough to be a box of some kind').toString('base64')))
await fails(422, secret(seal('x'.repeat(49 * 1024))))

// Custom properties, and rules that hold against everybody.
await octokit.rest.orgs.customPropertiesForReposCreateOrUpdateOrganizationDefinition({ org, custom_property_name: 'idp-request-id', value_type: 'string' })
await octokit.rest.repos.customPropertiesForReposCreateOrUpdateRepositoryValues({ ...at, properties: [{ property_name: 'idp-request-id', value: '142' }] })
const { data: values } = await octokit.rest.repos.customPropertiesForReposGetRepositoryValues(at)
assert.deepEqual(values, [{ property_name: 'idp-request-id', value: '142' }])
const { data: ruleset } = await octokit.rest.repos.createRepoRuleset({
    ...at, name: 'default branch', target: 'branch', enforcement: 'active',
    conditions: { ref_name: { include: ['~DEFAULT_BRANCH'], exclude: [] } },
    rules: [{ type: 'deletion' }, { type: 'non_fast_forward' }, {
        type: 'pull_request', parameters: {
            required_approving_review_count: 1, dismiss_stale_reviews_on_push: true, require_code_owner_review: false,
            require_last_push_approval: false, required_review_thread_resolution: false,
        },
    }],
})
assert.equal((await octokit.rest.repos.getRepoRuleset({ ...at, ruleset_id: ruleset.id })).data.rules.length, 3)
git('commit', '-q', '--allow-empty', '-m', 'More')
assert.match(refused('push', '-q', remote(token), 'main'), /GH013: Repository rule violations[^]*through a pull request[^]*push declined due to repository rule violations/)
git('push', '-q', remote(token), 'main:more')

// Statuses and comments.
const sha = branch.commit.sha
await octokit.rest.repos.createCommitStatus({ ...at, sha, state: 'success', context: 'idp', description: 'Scaffolded' })
assert.equal((await octokit.rest.repos.getCombinedStatusForRef({ ...at, ref: 'main' })).data.state, 'success')
await octokit.rest.repos.createCommitComment({ ...at, commit_sha: sha, body: 'Made by idp' })

// Pages of a list, followed by their links.
const members = await octokit.paginate(octokit.rest.orgs.listMembers, { org, per_page: 2 })
assert.ok(members.length > 2 && new Set(members.map((one) => one.login)).size === members.length)

// Other names for the same repository.
await octokit.rest.repos.update({ ...at, name: 'payments' })
const { data: moved } = await octokit.rest.repos.get(at)
assert.deepEqual([moved.id, moved.name], [repo.id, 'payments'])
const later = { owner: org, repo: 'payments' }
await octokit.rest.repos.update({ ...later, archived: true })
await fails(403, octokit.rest.repos.replaceAllTopics({ ...later, names: [] }))
await octokit.rest.repos.delete(later)
await fails(404, octokit.rest.repos.get(later))
console.log('fine')
