"""Slack's Python SDK against the simulator: Web API, errors, rate-limit retries, signatures, Socket Mode."""

import json
import os
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

BASE = os.environ["SIM_URL"]
client = WebClient(token=os.environ["SIM_BOT_TOKEN"], base_url=f"{BASE}api/")


def sim(path, body=None):
    """Drives the simulator as a person would."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{BASE}sim/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def eventually(what, look):
    """Waits until `look` returns something true, at most ten seconds."""
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def refused(call, error):
    """The call must fail with Slack's name for the error."""
    try:
        call()
    except SlackApiError as refusal:
        assert refusal.response["error"] == error, refusal.response
        return refusal.response
    raise AssertionError(f"{error} expected")


def people_and_channels():
    me = client.auth_test()
    assert me["user"] == "idp" and "chat:write" in me.headers["x-oauth-scopes"]
    people = [user for page in client.users_list(limit=3) for user in page["members"]]
    assert len(people) == 8 and sum(user["is_bot"] for user in people) == 1
    priya = next(user for user in people if user["name"] == "priya")
    assert client.users_info(user=priya["id"])["user"]["profile"]["real_name"] == "Priya Nair"
    groups = client.usergroups_list(include_users=True)["usergroups"]
    leads = next(group for group in groups if group["handle"] == "payments-leads")
    assert client.usergroups_users_list(usergroup=leads["id"])["users"] == leads["users"]
    channels = client.conversations_list(types="public_channel,private_channel")["channels"]
    assert [channel["name"] for channel in channels if channel["is_member"]] == ["platform", "payments"]
    direct = client.conversations_open(users=priya["id"])["channel"]["id"]
    client.chat_postMessage(channel=direct, text="hello")
    refused(lambda: client.chat_postMessage(channel="#random", text="x"), "not_in_channel")
    refused(lambda: client.conversations_join(channel=channels[0]["id"]), "missing_scope")


def messages():
    metadata = {"event_type": "request", "event_payload": {"id": "142", "n": 1}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*card*"}}]
    posted = client.chat_postMessage(channel="#payments", text="card", blocks=blocks, metadata=metadata)
    channel, ts = posted["channel"], posted["ts"]
    client.chat_update(channel=channel, ts=ts, text="done", blocks=blocks)
    history = client.conversations_history(channel=channel, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata, history["messages"]
    assert history["messages"][0]["text"] == "done"
    assert ts.replace(".", "") in client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]
    too_many = refused(lambda: client.chat_postMessage(channel=channel, text="x", blocks=blocks * 51), "invalid_blocks")
    assert too_many["response_metadata"]["messages"]


def rate_limits():
    patient = WebClient(token=client.token, base_url=client.base_url)
    patient.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=3))
    begun = time.monotonic()
    for number in range(5):
        patient.chat_postMessage(channel="#platform", text=f"burst {number}")
    assert time.monotonic() - begun >= 1, "the SDK must have been told to wait"
    refused(lambda: [client.chat_postMessage(channel="#platform", text="x") for _ in range(5)], "ratelimited")


def signatures():
    verifier = SignatureVerifier(os.environ["SIM_SIGNING_SECRET"])
    verdicts = []

    class App(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            verdicts.append((verifier.is_valid_request(body, dict(self.headers)), verifier.is_valid_request(body + b"x", dict(self.headers))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sim("levers", {"deliver_to": [f"http://127.0.0.1:{server.server_port}"]})
    assert sim("say", {"person": "priya", "channel": "#platform", "text": "/idp ä & ü"})["problem"] is None
    assert verdicts == [(True, False)], verdicts


def socket_mode():
    sim("levers", {"deliver_to": []})
    socket = SocketModeClient(app_token=os.environ["SIM_APP_TOKEN"], web_client=WebClient(base_url=client.base_url))
    socket.socket_mode_request_listeners.append(
        lambda own, request: own.send_socket_mode_response(
            SocketModeResponse(envelope_id=request.envelope_id, payload={"text": f"got {request.payload['text']}"})
        )
    )
    socket.connect()
    eventually("the connection", lambda: sim("workspace")["connections"] == 1)
    assert sim("say", {"person": "priya", "channel": "#platform", "text": "/idp three"})["problem"] is None
    seen = sim("timeline?" + urlencode({"person": "priya", "channel": "#platform"}))
    assert seen[-1]["message"]["text"] == "got three", seen[-1]
    socket.close()


people_and_channels()
messages()
rate_limits()
signatures()
socket_mode()
