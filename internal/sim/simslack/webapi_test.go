package simslack_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/simslack"
)

// answer is what the Web API says.
type answer struct {
	OK       bool     `json:"ok"`
	Error    string   `json:"error"`
	Needed   string   `json:"needed"`
	Provided string   `json:"provided"`
	Errors   []string `json:"errors"`
	TS       string   `json:"ts"`
	Metadata struct {
		Messages []string `json:"messages"`
	} `json:"response_metadata"`
	View struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
	} `json:"view"`
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
}

// post sends a body to a method.
func (w *world) post(ctx context.Context, t *testing.T, method, kind, token, body string) (answer, reply) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/api/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	_ = json.Unmarshal(raw, &a) // some faults answer something else
	return a, reply{resp.StatusCode, resp.Header}
}

// reply is the HTTP side of an answer.
type reply struct {
	status int
	header http.Header
}

// call calls a method as JSON with the bot's token.
func (w *world) call(t *testing.T, method string, args map[string]any) answer {
	t.Helper()
	if args == nil {
		args = map[string]any{}
	}
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.post(t.Context(), t, method, "application/json; charset=utf-8", w.App().BotToken, string(raw))
	return a
}

type args = map[string]any

func TestCallsAreRefusedAsSlackRefusesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range []struct {
		name, method string
		args         args
		want         string
	}{
		{"unknown method", "chat.shout", nil, "unknown_method"},
		{"unknown channel", "chat.postMessage", args{"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"},
		{"channel the bot is not in", "chat.postMessage", args{"channel": simslack.General, "text": "x"}, "not_in_channel"},
		{"nothing to say", "chat.postMessage", args{"channel": simslack.Approvals}, "no_text"},
		{"blanks only", "chat.postMessage", args{"channel": simslack.Approvals, "text": "  "}, "no_text"},
		{"blocks that are no list", "chat.postMessage", args{"channel": simslack.Approvals, "blocks": args{}}, "invalid_blocks_format"},
		{"blocks that are no JSON", "chat.postMessage", args{"channel": simslack.Approvals, "blocks": "[{"}, "invalid_blocks_format"},
		{"metadata that is no JSON", "chat.postMessage", args{"channel": simslack.Approvals, "text": "x", "metadata": "{"}, "invalid_metadata_format"},
		{"update of nothing", "chat.update", args{"channel": simslack.Approvals, "ts": "1.000001", "text": "x"}, "message_not_found"},
		{"delete of nothing", "chat.delete", args{"channel": simslack.Approvals, "ts": "1.000001"}, "message_not_found"},
		{"ephemeral to nobody", "chat.postEphemeral", args{"channel": simslack.Approvals, "user": "U0NOBODY", "text": "x"}, "user_not_found"},
		{"ephemeral to somebody outside", "chat.postEphemeral", args{"channel": simslack.Approvals, "user": "U0FABRIK01", "text": "x"}, "user_not_in_channel"},
		{"unknown user", "users.info", args{"user": "U0NOBODY"}, "user_not_found"},
		{"a name is no id", "users.info", args{"user": "alice"}, "user_not_found"},
		{"direct message to nobody", "conversations.open", args{"users": "U0NOBODY"}, "user_not_found"},
		{"direct message to somebody deactivated", "conversations.open", args{"users": "U0PERSON14"}, "user_disabled"},
		{"direct message without users", "conversations.open", nil, "users_list_not_supplied"},
		{"info on nothing", "conversations.info", args{"channel": "C0NOWHERE"}, "channel_not_found"},
		{"view for nobody", "views.publish", args{"user_id": "U0NOBODY", "view": args{"type": "home", "blocks": []any{}}}, "user_not_found"},
		{"view without a trigger", "views.open", args{"view": modal()}, "invalid_arguments"},
		{"made-up trigger", "views.open", args{"view": modal(), "trigger_id": "1.2.3"}, "invalid_trigger_id"},
		{"update of no view", "views.update", args{"view": modal(), "view_id": "V0"}, "not_found"},
		{"app token's method", "apps.connections.open", nil, "not_allowed_token_type"},
	} {
		if got := w.call(t, row.method, row.args); got.OK || got.Error != row.want {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
}

func modal() args {
	return args{"type": "modal", "title": args{"type": "plain_text", "text": "Ask"}, "blocks": []any{args{"type": "divider"}}}
}

func TestTokensCountWhereSlackTakesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bot := w.App().BotToken
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	for _, row := range []struct{ name, kind, header, body, query, want string }{
		{"header", form, bot, "", "", ""},
		{"form field", form, "", "token=" + bot, "", ""},
		{"JSON with header", asJSON, bot, "{}", "", ""},
		{"JSON field", asJSON, "", `{"token":"` + bot + `"}`, "", "not_authed"},
		{"query", form, "", "", "?token=" + bot, "not_authed"},
		{"none", form, "", "", "", "not_authed"},
		{"wrong", form, "sandbox-xoxb-wrong", "", "", "invalid_auth"},
		{"app token", form, w.App().AppToken, "", "", "not_allowed_token_type"},
		{"broken JSON", asJSON, bot, "{", "", "invalid_json"},
		{"JSON list", asJSON, bot, "[]", "", "json_not_object"},
		{"another type", "text/plain", bot, "x", "", "invalid_post_type"},
	} {
		a, _ := w.post(t.Context(), t, "auth.test"+row.query, row.kind, row.header, row.body)
		if a.Error != row.want || a.OK != (row.want == "") {
			t.Errorf("%s: %+v", row.name, a)
		}
	}
}

func TestMissingScopesAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *simslack.Config) { c.App.BotScopes = []string{"commands", "chat:write"} })
	got := w.call(t, "users.info", args{"user": "U0PERSON01"})
	if got.Error != "missing_scope" || got.Needed != "users:read" || got.Provided != "commands,chat:write" {
		t.Errorf("got %+v", got)
	}
	if got := w.call(t, "conversations.info", args{"channel": simslack.General}); got.Error != "missing_scope" || got.Needed != "channels:read" {
		t.Errorf("got %+v", got)
	}
}

func TestAnUninstalledAppsTokenIsDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.call(t, "auth.test", nil); got.Error != "account_inactive" {
		t.Errorf("got %+v", got)
	}
}

func TestAnUpdateReplacesWhatItNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	button := []any{args{"type": "section", "text": args{"type": "plain_text", "text": "old"}}}
	for _, row := range []struct {
		name string
		with args
		want string
	}{
		{"text alone takes the blocks away", args{"text": "new"}, "new"},
		{"blocks replace blocks", args{"text": "new", "blocks": []any{args{"type": "header", "text": args{"type": "plain_text", "text": "H"}}}}, "# H"},
		{"an empty list takes them away", args{"text": "new", "blocks": "[]"}, "new"},
		{"neither leaves both", args{}, "old"},
	} {
		posted := w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "text": "t", "blocks": button})
		row.with["channel"], row.with["ts"] = simslack.Approvals, posted.TS
		if got := w.call(t, "chat.update", row.with); !got.OK {
			t.Errorf("%s: %+v", row.name, got)
		}
		shown, err := w.Sees("bob", 0)
		if err != nil || shown[len(shown)-1].Text != row.want {
			t.Errorf("%s: %+v", row.name, shown)
		}
	}
}

func TestTextIsCutByPostAndRefusedByUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	posted := w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "text": strings.Repeat("é", 40_001)})
	if text := w.Messages(simslack.Approvals)[0].Text; len([]rune(text)) != 40_000 {
		t.Errorf("%d characters were kept", len([]rune(text)))
	}
	for n, want := range map[int]string{4000: "", 4001: "msg_too_long"} {
		got := w.call(t, "chat.update", args{"channel": simslack.Approvals, "ts": posted.TS, "text": strings.Repeat("é", n)})
		if got.Error != want {
			t.Errorf("%d characters: %+v", n, got)
		}
	}
}

func TestAnEphemeralMessageCannotBeUpdated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call(t, "chat.postEphemeral", args{"channel": simslack.Approvals, "user": "U0PERSON01", "text": "only you"})
	ts := w.Messages(simslack.Approvals)[0].TS
	if got := w.call(t, "chat.update", args{"channel": simslack.Approvals, "ts": ts, "text": "x"}); got.Error != "message_not_found" {
		t.Errorf("got %+v", got)
	}
	if text := sees(t, w, "bob"); text != "" {
		t.Errorf("bob sees %q", text)
	}
}

func TestAThreadStandsBelowAMessageOfItsChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(channel, thread string) answer {
		return w.call(t, "chat.postMessage", map[string]any{"channel": channel, "text": "below " + thread, "thread_ts": thread})
	}
	root := w.call(t, "chat.postMessage", map[string]any{"channel": simslack.Approvals, "text": "root"})
	first := post(simslack.Approvals, root.TS)
	if !first.OK {
		t.Fatalf("%+v", first)
	}
	for name, refused := range map[string]answer{
		"no such message": post(simslack.Approvals, "1700000000.000001"), "in another channel": post(simslack.OnCall, root.TS), "below a reply": post(simslack.Approvals, first.TS),
	} {
		if refused.Error != "thread_not_found" {
			t.Errorf("%s: %+v", name, refused)
		}
	}
	for _, m := range w.Messages(simslack.Approvals) {
		if m.TS == first.TS && m.Thread != root.TS {
			t.Errorf("it stands below %q", m.Thread)
		}
	}
}

func TestFaultsStrikeAsOftenAsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Break("auth.test", simslack.Fault{Kind: simslack.RateLimited, Times: 2, RetryAfter: 7 * time.Second})
	for i, want := range []string{"ratelimited", "ratelimited", ""} {
		got, resp := w.post(t.Context(), t, "auth.test", "", w.App().BotToken, "")
		limited := want != ""
		if got.Error != want || (resp.status == http.StatusTooManyRequests) != limited || (resp.header.Get("Retry-After") == "7") != limited {
			t.Errorf("call %d: %+v, %d", i, got, resp.status)
		}
	}
	w.Break("", simslack.Fault{Kind: simslack.ServerError})
	if _, resp := w.post(t.Context(), t, "auth.test", "", w.App().BotToken, ""); resp.status != http.StatusServiceUnavailable || !strings.HasPrefix(resp.header.Get("Content-Type"), "text/html") {
		t.Errorf("got %d", resp.status)
	}
	w.Break("", simslack.Fault{Kind: simslack.NoError, Times: 1})
	if got := w.call(t, "auth.test", nil); got.OK || got.Error != "" {
		t.Errorf("got %+v", got)
	}
}

func TestAResetStrikesAfterTheWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Break("chat.postMessage", simslack.Fault{Kind: simslack.Reset, Times: 1})
	form := url.Values{"token": {w.App().BotToken}, "channel": {simslack.Approvals}, "text": {"once"}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/api/chat.postMessage", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the connection did not break")
	}
	if n := len(w.Messages(simslack.Approvals)); n != 1 {
		t.Errorf("%d messages stand there", n)
	}
}
