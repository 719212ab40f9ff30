// A bot on Microsoft's own library: it checks what the fake Teams signs, and calls the fake connector.
import http from "node:http";
import { ConfidentialClientApplication } from "@azure/msal-node";
import builder from "botbuilder";
import connector from "botframework-connector";

const { CloudAdapter, ConfigurationBotFrameworkAuthentication, TeamsActivityHandler, TeamsInfo, CardFactory, MessageFactory } = builder;
const { APP_ID, APP_SECRET, TENANT, LOGIN, METADATA, PORT, CHANNEL } = process.env;

const app = new ConfidentialClientApplication({
  auth: { clientId: APP_ID, clientSecret: APP_SECRET, authority: `${LOGIN}/${TENANT}`, knownAuthorities: [new URL(LOGIN).host] },
});
const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication(
  {
    ToChannelFromBotLoginUrl: `${LOGIN}/${TENANT}`, ToChannelFromBotOAuthScope: "https://api.botframework.com",
    ToBotFromChannelTokenIssuer: "https://api.botframework.com", OAuthUrl: "https://127.0.0.1:1", ToBotFromChannelOpenIdMetadataUrl: METADATA,
    ToBotFromEmulatorOpenIdMetadataUrl: `${LOGIN}/${TENANT}/v2.0/.well-known/openid-configuration`, CallerId: "",
  },
  new connector.MsalServiceClientCredentialsFactory(APP_ID, app),
  { requiredEndorsements: ["msteams"] },
));
adapter.onTurnError = async (_, error) => console.log(`error: ${error.stack}`);

const card = (text, ...actions) => CardFactory.adaptiveCard({
  type: "AdaptiveCard", version: "1.5", body: [{ type: "TextBlock", text }], actions,
});
const button = { type: "Action.Execute", title: "Approve", verb: "approve", data: { request: "AB12CD" } };

class Bot extends TeamsActivityHandler {
  constructor() {
    super();
    this.onMessage(async (context, next) => {
      const text = builder.TurnContext.removeRecipientMention(context.activity) ?? context.activity.text;
      await this.answer(context, text.replaceAll("&nbsp;", " ").trim());
      await next();
    });
  }

  async answer(context, text) {
    switch (text) {
      case "members": {
        const page = await TeamsInfo.getPagedMembers(context, 2);
        const me = await TeamsInfo.getMember(context, context.activity.from.aadObjectId);
        await context.sendActivity(`${page.members.length} members, and ${me.name} is ${me.userPrincipalName}`);
        return;
      }
      case "card": {
        const { id } = await context.sendActivity(MessageFactory.attachment(card("first", button)));
        const update = MessageFactory.attachment(card("second", button));
        update.id = id;
        await context.updateActivity(update);
        return;
      }
      case "thread":
        await TeamsInfo.sendMessageToTeamsChannel(context, MessageFactory.text("a thread of its own"), CHANNEL, APP_ID);
        return;
      case "gone": {
        const { id } = await context.sendActivity("soon gone");
        await context.deleteActivity(id);
        await context.updateActivity({ id, type: "message", text: "again" }).catch((e) => context.sendActivity(`refused: ${e.code ?? e.message}`));
        return;
      }
    }
    await context.sendActivity(`you said ${text}`);
  }

  async onAdaptiveCardInvoke(context, value) {
    return {
      statusCode: 200, type: "application/vnd.microsoft.card.adaptive",
      value: card(`${context.activity.from.name}: ${value.action.verb} ${value.action.data.request}`).content,
    };
  }

  async onInstallationUpdateAddActivity(context) {
    await context.sendActivity("welcome");
  }
}

const bot = new Bot();
const server = http.createServer((req, res) => {
  let raw = "";
  req.on("data", (part) => { raw += part; });
  req.on("end", async () => {
    try {
      req.body = JSON.parse(raw);
    } catch {
      req.body = undefined;
    }
    const answer = { status: (code) => { res.statusCode = code; return answer; }, header: (k, v) => { res.setHeader(k, v); return answer; },
      send: (body) => { res.end(body === undefined ? "" : JSON.stringify(body)); return answer; }, end: () => { res.end(); return answer; }, socket: res.socket };
    await adapter.process(req, answer, (context) => bot.run(context));
    if (!res.writableEnded) res.end();
  });
});
server.listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
