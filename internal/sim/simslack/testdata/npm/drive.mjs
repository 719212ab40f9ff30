// Drives the fake Slack with the official clients and exits with 1 when an answer is not as real Slack gives it.
// The other side, a Go test, acts as the people; SLACK_API is the address of the Web API.
import assert from "node:assert/strict";
import { SocketModeClient } from "@slack/socket-mode";
import { LogLevel, WebClient } from "@slack/web-api";

const api = process.env.SLACK_API;
const options = { slackApiUrl: api, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, logLevel: LogLevel.ERROR };
const web = new WebClient(process.env.BOT_TOKEN, options);
const text = (s) => ({ type: "plain_text", text: s });

async function refused(code, call) {
  const error = await call.then(() => assert.fail(`no ${code}`), (e) => e);
  assert.equal(error.data?.error, code, String(error));
  return error.data;
}

async function reads() {
  const me = await web.auth.test();
  assert.equal(me.team_id, "T0CONTOSO1");
  const alice = await web.users.info({ user: "U0PERSON01" });
  assert.equal(alice.user.real_name, "Alice Anders");
  await refused("user_not_found", web.users.info({ user: "U0NOBODY00" }));
  const shared = await web.conversations.info({ channel: "C0SHARED" });
  assert.equal(shared.channel.is_ext_shared, true);
  const members = await web.conversations.members({ channel: "C0APPROVALS" });
  assert.ok(members.members.includes("U0PERSON02"));
  assert.equal((await web.team.info()).team.domain, "contoso");
}

async function writes() {
  const blocks = [
    { type: "section", text: { type: "mrkdwn", text: "*Request*" } },
    { type: "actions", block_id: "b", elements: [{ type: "button", action_id: "approve", value: "AB12CD", text: text("Approve") }] },
  ];
  const posted = await web.chat.postMessage({ channel: "C0APPROVALS", text: "Request", blocks });
  assert.match(posted.ts, /^\d+\.\d{6}$/);
  const updated = await web.chat.update({ channel: "C0APPROVALS", ts: posted.ts, text: "Request, changed", blocks });
  assert.equal(updated.ts, posted.ts);
  const dm = await web.conversations.open({ users: "U0PERSON01" });
  await web.chat.postMessage({ channel: dm.channel.id, text: "hello" });
  await web.chat.postEphemeral({ channel: "C0APPROVALS", user: "U0PERSON01", text: "only you" });
  const bad = await refused("invalid_blocks", web.chat.postMessage({ channel: "C0APPROVALS", text: "x", blocks: [{ type: "header", text: text("x".repeat(151)) }] }));
  assert.match(bad.response_metadata.messages[0], /^\[ERROR\] must be less than 151 characters \[json-pointer:\/blocks\/0\/text\/text\]$/);
  await refused("channel_not_found", web.chat.postMessage({ channel: "C0NOWHERE", text: "x" }));
  await refused("not_in_channel", web.chat.postMessage({ channel: "C0GENERAL", text: "x" }));
  await refused("message_not_found", web.chat.update({ channel: "C0APPROVALS", ts: "1.000001", text: "x" }));
  await refused("unknown_method", web.apiCall("no.such.method"));
  await refused("invalid_auth", new WebClient("sandbox-xoxb-wrong", options).auth.test());
}

const modal = {
  type: "modal", callback_id: "form", title: text("Ask"), submit: text("Send"),
  blocks: [{ type: "input", block_id: "why", label: text("Reason"), element: { type: "plain_text_input", action_id: "text" } }],
};

// serve answers what the people do, until somebody opens the Home tab.
async function serve() {
  const socket = new SocketModeClient({ appToken: process.env.APP_TOKEN, clientOptions: options, logLevel: LogLevel.ERROR });
  socket.on("slash_commands", ({ body, ack }) => ack({ text: `you said ${body.text}` }));
  socket.on("interactive", async ({ body, ack }) => {
    if (body.type === "view_submission") {
      const said = body.view.state.values.why.text.value;
      await ack(said === "bad" ? { response_action: "errors", errors: { why: "Say more." } } : undefined);
      return;
    }
    await ack();
    await web.views.open({ trigger_id: body.trigger_id, view: modal });
    await refused("exchanged_trigger_id", web.views.open({ trigger_id: body.trigger_id, view: modal }));
  });
  const opened = new Promise((resolve) => {
    socket.on("app_home_opened", async ({ event, ack }) => {
      await ack();
      await web.views.publish({ user_id: event.user, view: { type: "home", blocks: [{ type: "header", text: text("Home") }] } });
      resolve();
    });
  });
  await socket.start();
  await opened;
  await socket.disconnect();
}

await reads();
await writes();
console.log("served the Web API");
await serve();
console.log("served Socket Mode");
