package slack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

var (
	general = pim.Conversation{Chat: pim.Slack, Workspace: team, ID: channel}
	hello   = card.Card{Title: "Hello", Fallback: "Hello.", Request: "abc234"}
)

func TestPostReturnsWhereTheCardStands(t *testing.T) {
	b := newBench(t, nil)
	ref, err := b.client.Post(t.Context(), general, hello)
	if want := (pim.MessageRef{Conversation: general, ID: "1.000001", Channel: channel, Thread: "1.000001"}); err != nil || ref != want {
		t.Errorf("Post: %+v, %v", ref, err)
	}
	args := b.api.to("chat.postMessage")[0].args
	for name, want := range map[string]string{
		"channel": channel, "text": "Hello.", "unfurl_links": "false", "unfurl_media": "false", "parse": "none",
		"metadata": `{"event_type":"elevate_card","event_payload":{"request":"abc234"}}`,
	} {
		if got := args.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestUpdateReplacesAllBlocks(t *testing.T) {
	b := newBench(t, nil)
	ref := pim.MessageRef{Conversation: general, ID: "1.000001", Channel: channel}
	if err := b.client.Update(t.Context(), ref, hello); err != nil {
		t.Fatal(err)
	}
	c := b.api.to("chat.update")[0]
	if c.args.Get("ts") != ref.ID || c.args.Get("text") == "" || len(c.blocks(t)) != 1 {
		t.Errorf("sent %v", c.args)
	}
	// The buttons go also from a card that has nothing left to draw.
	if err := b.client.Update(t.Context(), ref, card.Card{}); err != nil || len(b.api.to("chat.update")[1].blocks(t)) == 0 {
		t.Errorf("an empty card: %v", err)
	}
	for _, bad := range []pim.MessageRef{{}, {Conversation: pim.Conversation{Chat: pim.Teams}, ID: "1", Channel: "2"}} {
		if err := b.client.Update(t.Context(), bad, hello); !pim.IsKind(err, pim.NotFound) {
			t.Errorf("Update of %+v: %v", bad, err)
		}
	}
}

func TestDirectMessageIsOpenedOnce(t *testing.T) {
	b := newBench(t, nil)
	for range 2 {
		ref, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
		if err != nil || ref.Conversation != pim.DirectTo(aliceAccount) {
			t.Errorf("Post: %+v, %v", ref, err)
		}
	}
	if n := len(b.api.to("conversations.open")); n != 1 {
		t.Errorf("opened %d times", n)
	}
	b.api.on("chat.postMessage", refused("channel_not_found"))
	if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.NotFound) {
		t.Errorf("Post: %v", err)
	}
	_, _ = b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
	if n := len(b.api.to("conversations.open")); n != 2 {
		t.Errorf("after the conversation was gone, opened %d times in all", n)
	}
}

func TestChannelsSharedWithOthersGetNoCards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		shared := func(ext bool) reply {
			return ok(object{"channel": object{"id": channel, "is_shared": true, "is_org_shared": true, "is_ext_shared": ext}})
		}
		b.api.on("conversations.info", shared(false))
		for range 2 {
			if _, err := b.client.Post(t.Context(), general, hello); err != nil {
				t.Errorf("a channel that is shared inside the organisation: %v", err)
			}
		}
		if n := len(b.api.to("conversations.info")); n != 1 {
			t.Errorf("asked %d times", n)
		}
		b.api.on("conversations.info", shared(true))
		time.Sleep(5 * time.Minute)
		if _, err := b.client.Post(t.Context(), general, hello); !pim.IsKind(err, pim.Forbidden) {
			t.Errorf("a channel that is shared with others by now: %v", err)
		}
		if n := len(b.api.to("chat.postMessage")); n != 2 {
			t.Errorf("posted %d times", n)
		}
	})
}

func TestChannelThatCannotBeLookedUpGetsNoCard(t *testing.T) {
	for name, test := range map[string]struct {
		r    reply
		want pim.Kind
	}{
		"missing scope":   {body(`{"ok":false,"error":"missing_scope","needed":"channels:read","provided":"chat:write"}`), pim.Administered},
		"unknown":         {refused("channel_not_found"), pim.NotFound},
		"nothing":         {body(`{}`), pim.Unavailable},
		"another channel": {ok(object{"channel": object{"id": "C0OTHER"}}), pim.Unavailable},
	} {
		b := newBench(t, nil)
		b.api.on("conversations.info", test.r)
		_, err := b.client.Post(t.Context(), general, hello)
		if !pim.IsKind(err, test.want) || len(b.api.to("chat.postMessage")) != 0 {
			t.Errorf("%s: %v, posted %d times", name, err, len(b.api.to("chat.postMessage")))
		}
		if name == "missing scope" && !strings.Contains(pim.Explain(err).Message, "channels:read") {
			t.Errorf("the scope is not named: %v", err)
		}
	}
}

func TestWhisperIsForOneAccountInAChannel(t *testing.T) {
	b := newBench(t, nil)
	if err := b.client.Whisper(t.Context(), general, aliceAccount, hello); err != nil {
		t.Fatal(err)
	}
	calls := b.api.to("chat.postEphemeral")
	if len(calls) != 1 {
		t.Fatalf("whispered %d times", len(calls))
	}
	for name, want := range map[string]string{"channel": channel, "user": alice, "text": "Hello.", "unfurl_links": "false", "metadata": "", "thread_ts": ""} {
		if got := calls[0].args.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(calls[0].blocks(t)) != 1 || len(b.api.to("chat.postMessage")) != 0 {
		t.Errorf("sent %v", calls[0].args)
	}
}

func TestWhisperGoesNowhereElse(t *testing.T) {
	other := pim.ChatAccount{Chat: pim.Slack, Workspace: "T0OTHER", User: alice}
	for name, test := range map[string]struct {
		at   pim.Conversation
		to   pim.ChatAccount
		want pim.Kind
	}{
		"another workspace's account": {general, other, pim.Forbidden},
		"nobody":                      {general, pim.ChatAccount{Chat: pim.Slack, Workspace: team}, pim.Forbidden},
		"another chat":                {pim.Conversation{Chat: pim.Teams, Workspace: team, ID: channel}, aliceAccount, pim.Forbidden},
		"another workspace":           {pim.Conversation{Chat: pim.Slack, Workspace: "T0OTHER", ID: channel}, aliceAccount, pim.Forbidden},
		"a direct conversation":       {pim.Conversation{Chat: pim.Slack, Workspace: team, ID: "D0DIRECT"}, aliceAccount, pim.NotFound},
		"no place at all":             {pim.Conversation{Chat: pim.Slack, Workspace: team}, aliceAccount, pim.NotFound},
	} {
		b := newBench(t, nil)
		if err := b.client.Whisper(t.Context(), test.at, test.to, hello); !pim.IsKind(err, test.want) || len(b.api.to("chat.postEphemeral")) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKindsOfFailedWhispers(t *testing.T) {
	for code, want := range map[string]pim.Kind{
		"not_in_channel": pim.Forbidden, "user_not_in_channel": pim.Forbidden, "channel_not_found": pim.NotFound, "is_archived": pim.NotFound,
		"messages_tab_disabled": pim.Forbidden, "restricted_action": pim.Forbidden, "ratelimited": pim.Throttled, "internal_error": pim.AnswerLost,
	} {
		b := newBench(t, nil)
		b.api.on("chat.postEphemeral", refused(code))
		if err := b.client.Whisper(t.Context(), general, aliceAccount, hello); !pim.IsKind(err, want) {
			t.Errorf("%s: %v", code, err)
		}
		// A place where nothing can be whispered takes cards all the same.
		if _, err := b.client.Post(t.Context(), general, hello); err != nil {
			t.Errorf("after %s: %v", code, err)
		}
	}
}

func TestOtherPlacesAreRefused(t *testing.T) {
	b := newBench(t, nil)
	for want, to := range map[pim.Kind][]pim.Conversation{
		pim.Forbidden: {{Chat: pim.Teams, ID: "19:x"}, {Chat: pim.Slack, Workspace: "T0OTHER", ID: channel}, {Chat: pim.Slack, Workspace: "T0OTHER", User: alice}},
		pim.NotFound:  {{Chat: pim.Slack, Workspace: team}},
	} {
		for _, c := range to {
			if _, err := b.client.Post(t.Context(), c, hello); !pim.IsKind(err, want) {
				t.Errorf("Post to %v: %v, want %s", c, err, want)
			}
		}
	}
	for _, a := range []pim.ChatAccount{{}, {Chat: pim.Teams, Workspace: team, User: alice}, {Chat: pim.Slack, Workspace: "T0OTHER", User: alice}, {Chat: pim.Slack, Workspace: team}} {
		if err := b.client.Account(t.Context(), a); !pim.IsKind(err, pim.Forbidden) {
			t.Errorf("Account of %v: %v", a, err)
		}
	}
}

func TestKindsOfFailedPosts(t *testing.T) {
	status := func(code int, header ...string) reply {
		return func(*http.Request, call) (*http.Response, error) {
			r := response(code, "text/html", "<html>Something went wrong.</html>")
			if len(header) > 0 {
				r.Header.Set("Retry-After", header[0])
			}
			return r, nil
		}
	}
	for name, test := range map[string]struct {
		r    reply
		want pim.Kind
		wait time.Duration
	}{
		"429 with Retry-After":             {status(429, "7"), pim.Throttled, 7 * time.Second},
		"429 without":                      {status(429), pim.Throttled, time.Minute},
		"429 with zero":                    {status(429, "0"), pim.Throttled, time.Second},
		"429 with a date":                  {status(429, "Tue, 24 Nov 2026 07:00:00 GMT"), pim.Throttled, time.Minute},
		"429 for years":                    {status(429, "99999999"), pim.Throttled, time.Minute},
		"ratelimited":                      {refused("ratelimited"), pim.Throttled, time.Minute},
		"ok:false without an error":        {body(`{"ok":false}`), pim.Unavailable, 0},
		"ok:false with an empty error":     {body(`{"ok":false,"error":" "}`), pim.Unavailable, 0},
		"nothing":                          {body(`{}`), pim.AnswerLost, 0},
		"no object":                        {body(`[]`), pim.AnswerLost, 0},
		"an empty answer":                  {body(``), pim.AnswerLost, 0},
		"ok without ts":                    {body(`{"ok":true,"channel":"C0GENERAL"}`), pim.AnswerLost, 0},
		"ok without a channel":             {body(`{"ok":true,"ts":"1.0"}`), pim.AnswerLost, 0},
		"ok with a ts that is no string":   {body(`{"ok":true,"ts":1,"channel":"C0GENERAL"}`), pim.AnswerLost, 0},
		"a page with status 200":           {body(`<html>`), pim.AnswerLost, 0},
		"an answer without an end":         {body(`{"ok":true,"x":"` + strings.Repeat("x", 2<<20)), pim.AnswerLost, 0},
		"503 with a page":                  {status(503), pim.Unavailable, 0},
		"500":                              {status(500), pim.AnswerLost, 0},
		"502":                              {status(502), pim.AnswerLost, 0},
		"504":                              {status(504), pim.AnswerLost, 0},
		"404":                              {status(404), pim.Administered, 0},
		"a redirect":                       {status(302), pim.Administered, 0},
		"not_in_channel":                   {refused("not_in_channel"), pim.Forbidden, 0},
		"channel_not_found":                {refused("channel_not_found"), pim.NotFound, 0},
		"is_archived":                      {refused("is_archived"), pim.NotFound, 0},
		"invalid_auth":                     {refused("invalid_auth"), pim.Administered, 0},
		"token_revoked":                    {refused("token_revoked"), pim.Administered, 0},
		"account_inactive":                 {refused("account_inactive"), pim.Administered, 0},
		"missing_scope":                    {refused("missing_scope"), pim.Administered, 0},
		"internal_error":                   {refused("internal_error"), pim.AnswerLost, 0},
		"fatal_error":                      {refused("fatal_error"), pim.AnswerLost, 0},
		"service_unavailable":              {refused("service_unavailable"), pim.Unavailable, 0},
		"invalid_blocks":                   {refused("invalid_blocks"), pim.Internal, 0},
		"a code that nobody has heard of":  {refused("xyzzy"), pim.Internal, 0},
		"a code that is an attack":         {refused("<https://evil.example|x>"), pim.Internal, 0},
		"a connection that never came":     {func(*http.Request, call) (*http.Response, error) { return nil, errors.New("dial https://x") }, pim.Unavailable, 0},
		"an answer that breaks off":        {broken, pim.AnswerLost, 0},
		"message_not_found (of an update)": {refused("message_not_found"), pim.NotFound, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.on("chat.postMessage", test.r)
			b.api.on("chat.update", test.r)
			_, err := b.client.Post(t.Context(), general, hello)
			b.checkFault(t, err, test.want, test.wait)
			err = b.client.Update(t.Context(), pim.MessageRef{Conversation: general, ID: "1.0", Channel: channel}, hello)
			if name != "ok without a channel" {
				if name == "channel_not_found" || name == "is_archived" {
					test.want = pim.Forbidden // the card stands there still
				}
				b.checkFault(t, err, test.want, test.wait)
			}
			if n := len(b.api.to("chat.postMessage")); n != 1 {
				t.Errorf("posted %d times", n)
			}
		})
	}
}

func broken(*http.Request, call) (*http.Response, error) {
	r := response(200, "application/json", "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"ok":tr`), errorReader{}))
	return r, nil
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (b *bench) checkFault(t *testing.T, err error, want pim.Kind, wait time.Duration) {
	t.Helper()
	e := pim.Explain(err)
	if err == nil || e.Kind != want || e.RetryAfter != wait || e.Message == "" {
		t.Errorf("%v: kind %s after %v, want %s after %v", err, e.Kind, e.RetryAfter, want, wait)
	}
	for _, word := range []string{botToken, "https://", "slack.com", "evil"} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, e), word) {
			t.Errorf("the error holds %q: %v", word, err)
		}
	}
}

// wireClient is a client that speaks to a real server over TCP.
func wireClient(t *testing.T, serve http.HandlerFunc) (*slack.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path.Base(r.URL.Path) {
		case "auth.test":
			fmt.Fprintf(w, `{"ok":true,"team_id":%q,"user_id":"U0BOT","bot_id":"B0BOT"}`, team)
		case "bots.info":
			fmt.Fprint(w, `{"ok":true,"bot":{"id":"B0BOT","app_id":"A0APP"}}`)
		default:
			serve(w, r)
		}
	}))
	t.Cleanup(server.Close)
	client := slack.NewClient(slack.Config{BotToken: secret.New(botToken), API: server.URL + "/api", TeamID: team, Now: machineTime})
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestResetAfterTheWriteIsALostAnswerAndNotRepeated(t *testing.T) {
	var posts atomic.Int32
	client, _ := wireClient(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "chat.update") {
			http.Error(w, "unexpected", http.StatusTeapot)
			return
		}
		posts.Add(1)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, not an end
		}
		_ = conn.Close()
	})
	ref := pim.MessageRef{Conversation: pim.DirectTo(aliceAccount), ID: "1.0", Channel: "D0ALICE"}
	err := client.Update(t.Context(), ref, hello)
	if !pim.IsKind(err, pim.AnswerLost) || posts.Load() != 1 {
		t.Errorf("Update: %v, sent %d times", err, posts.Load())
	}
}

// A token that nobody vouched for may be another workspace's.
func TestNothingIsSentBeforeSlackSaidWhoseTheTokenIs(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(server.Close)
	client := slack.NewClient(slack.Config{BotToken: secret.New(botToken), API: server.URL + "/api", TeamID: team, Now: machineTime})
	if _, err := client.Post(t.Context(), general, hello); !pim.IsKind(err, pim.Unavailable) || asked != 0 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}

func TestRefusedConnectionIsUnavailable(t *testing.T) {
	client, server := wireClient(t, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	err := client.Update(t.Context(), pim.MessageRef{Conversation: general, ID: "1.0", Channel: channel}, hello)
	if !pim.IsKind(err, pim.Unavailable) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("Update: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	client, _ := wireClient(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	err := client.Update(t.Context(), pim.MessageRef{Conversation: general, ID: "1.0", Channel: channel}, hello)
	if err == nil || elsewhere.Load() != 0 {
		t.Errorf("Update: %v; the token went elsewhere %d times", err, elsewhere.Load())
	}
}

func TestEveryCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		for _, method := range []string{"chat.update", "conversations.open", "users.info"} {
			b.api.on(method, hangs)
		}
		begin := machineTime()
		ref := pim.MessageRef{Conversation: general, ID: "1.0", Channel: channel}
		ctx := context.Background()
		for name, err := range map[string]error{
			"Update": b.client.Update(ctx, ref, hello), "Account": b.client.Account(ctx, aliceAccount),
		} {
			if err == nil {
				t.Errorf("%s succeeded", name)
			}
		}
		if _, err := b.client.Post(ctx, pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.Unavailable) {
			t.Errorf("Post: %v", err)
		}
		if took := machineTime().Sub(begin); took > 31*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestStartKnowsItsWorkspace(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		r      reply
		want   pim.Kind
	}{
		"another workspace":      {"auth.test", ok(object{"team_id": "T0OTHER", "user_id": botUser, "bot_id": botID}), pim.Administered},
		"a person's token":       {"auth.test", ok(object{"team_id": team, "user_id": alice}), pim.Unavailable},
		"an invalid token":       {"auth.test", refused("invalid_auth"), pim.Administered},
		"ok:false without error": {"auth.test", body(`{"ok":false}`), pim.Unavailable},
		"nothing":                {"auth.test", body(`{}`), pim.Unavailable},
		"only ok":                {"auth.test", body(`{"ok":true}`), pim.Unavailable},
		"an unknown app":         {"bots.info", body(`{"ok":true,"bot":{"id":"B0BOT"}}`), pim.Unavailable},
		"another bot's app":      {"bots.info", ok(object{"bot": object{"id": "B0OTHER", "app_id": app}}), pim.Unavailable},
		"a refused bots.info":    {"bots.info", refused("missing_scope"), pim.Administered},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newAPI()
			fake.on(test.method, test.r)
			client := slack.NewClient(slack.Config{BotToken: secret.New(botToken), TeamID: team, Transport: fake, Now: machineTime})
			if err := client.Start(t.Context()); !pim.IsKind(err, test.want) {
				t.Errorf("Start: %v, want %s", err, test.want)
			}
		})
	}
}

func TestOrganisationIsWhatIsConfigured(t *testing.T) {
	for configured, answers := range map[string]bool{"E0ORG": true, "E0OTHER": false, "": false} {
		fake := newAPI()
		fake.on("auth.test", ok(object{"team_id": team, "enterprise_id": "E0ORG", "user_id": botUser, "bot_id": botID}))
		client := slack.NewClient(slack.Config{BotToken: secret.New(botToken), TeamID: configured, Transport: fake, Now: machineTime})
		if err := client.Start(t.Context()); (err == nil) != answers {
			t.Errorf("%q: %v", configured, err)
		}
	}
}

func TestManyPeopleDoNotFillTheMemory(t *testing.T) {
	b := newBench(t, nil)
	for i := range 12_000 {
		a := pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: fmt.Sprintf("U%07d", i)}
		if _, err := b.client.Profile(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	before := len(b.api.to("users.info"))
	recent := pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: "U0011999"}
	if _, err := b.client.Profile(t.Context(), recent); err != nil || len(b.api.to("users.info")) != before {
		t.Errorf("the last one is not remembered: %v", err)
	}
	for i := range 4_000 {
		a := pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: fmt.Sprintf("U%07d", i)}
		if _, err := b.client.Profile(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.api.to("users.info")) == before {
		t.Error("all of 12,000 people are remembered")
	}
}

func TestACardInAChannelThatBecameSharedIsNotRewritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		to := pim.Conversation{Chat: pim.Slack, Workspace: team, ID: channel}
		c := card.Card{Title: "MDE Administrator", Fallback: "x", Request: "k7m2pq"}
		ref, err := b.client.Post(t.Context(), to, c)
		if err != nil {
			t.Fatal(err)
		}
		b.api.on("conversations.info", ok(object{"channel": object{"id": channel, "is_ext_shared": true}}))
		time.Sleep(10 * time.Minute)
		if err := b.client.Update(t.Context(), ref, c); err == nil {
			t.Error("a card was rewritten before the eyes of another organisation")
		}
	})
}

func TestWhatSlackSaysOfTheBotEndsNobodysLink(t *testing.T) {
	for code, kind := range map[string]pim.Kind{
		"user_not_found": pim.Forbidden, "team_access_not_granted": pim.Administered, "ekm_access_denied": pim.Administered, "user_not_visible": pim.Administered,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.on("users.info", refused(code))
			if err := b.client.Account(t.Context(), aliceAccount); !pim.IsKind(err, kind) {
				t.Errorf("%s: %v, want %s", code, err, kind)
			}
		})
	}
}
