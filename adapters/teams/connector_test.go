package teams_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"elevate/adapters/teams"
	"elevate/internal/card"
	"elevate/internal/pim"
)

// knows keeps Alice as somebody whose personal chat is known, changed by with.
func (b *bench) knows(with func(*teams.Reference)) {
	r := teams.Reference{
		Key: teams.PersonKey(alice), Conversation: personal, Kind: "personal", ServiceURL: service, MRI: aliceMRI, Met: personal,
	}
	if with != nil {
		with(&r)
	}
	b.refs.of[r.Key] = r
}

func TestWhatTeamsAnswersToAPost(t *testing.T) {
	code := func(c string) string {
		return `{"error":{"code":"` + c + `","message":"at ` + service + ` with ` + botToken + `"}}`
	}
	for name, row := range map[string]struct {
		status int
		body   string
		kind   pim.Kind
		code   string
	}{
		"too many":                    {429, code("TooManyRequests"), pim.Throttled, "TooManyRequests"},
		"a precondition":              {412, ``, pim.Unavailable, "http_412"},
		"not available":               {503, `<html>`, pim.Unavailable, "http_503"},
		"a bad gateway":               {502, `<html>`, pim.AnswerLost, "http_502"},
		"a slow gateway":              {504, ``, pim.AnswerLost, "http_504"},
		"it failed":                   {500, code("ServiceError"), pim.AnswerLost, "ServiceError"},
		"too large":                   {413, code("MessageSizeTooBig"), pim.Invalid, "MessageSizeTooBig"},
		"too large by its code":       {400, code("MessageSizeTooBig"), pim.Invalid, "MessageSizeTooBig"},
		"not understood":              {400, code("BadSyntax"), pim.Invalid, "BadSyntax"},
		"not a bot":                   {401, code("BotNotRegistered"), pim.Administered, "BotNotRegistered"},
		"a token that is not taken":   {401, ``, pim.Administered, "http_401"},
		"disabled":                    {403, code("BotDisabledByAdmin"), pim.Forbidden, "BotDisabledByAdmin"},
		"removed":                     {403, code("BotNotInConversationRoster"), pim.Forbidden, "BotNotInConversationRoster"},
		"blocked":                     {403, code("ConversationBlockedByUser"), pim.Forbidden, "ConversationBlockedByUser"},
		"blocked, said in the text":   {403, `{"error":{"code":"Forbidden","message":"{\"subCode\":\"MessageWritesBlocked\"}"}}`, pim.Forbidden, "MessageWritesBlocked"},
		"forbidden":                   {403, code("Other"), pim.Forbidden, "Other"},
		"no such conversation":        {404, code("ConversationNotFound"), pim.Forbidden, "ConversationNotFound"},
		"no such message":             {404, code("ActivityNotFoundInConversation"), pim.NotFound, "ActivityNotFoundInConversation"},
		"a private message that left": {404, code("TARGETED_MESSAGE_EXPIRED_OR_DELETED"), pim.NotFound, "TARGETED_MESSAGE_EXPIRED_OR_DELETED"},
		"gone":                        {410, ``, pim.NotFound, "http_410"},
		"another way":                 {302, ``, pim.Invalid, "http_302"},
		"a code that is an address":   {400, code(service), pim.Invalid, "http_400"},
		"yes, and nothing":            {201, ``, pim.AnswerLost, ""},
		"yes, and no id":              {201, `{}`, pim.AnswerLost, ""},
		"yes, and a page":             {200, `<html>`, pim.AnswerLost, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.knows(nil)
			b.net.on("POST activities", answer(row.status, row.body))
			_, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
			if e := pim.Explain(err); err == nil || e.Kind != row.kind || e.Code != row.code || leaks(err) {
				t.Errorf("%v: %+v", err, e)
			}
			if n := len(b.net.written()); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestEveryStatusHasAKind goes through all of them.
func TestEveryStatusHasAKind(t *testing.T) {
	again := []int{408, 412, 429, 503}
	for status := 300; status < 600; status++ {
		b := newBench(t, nil)
		b.knows(nil)
		b.net.on("PUT", answer(status, `{}`))
		err := b.client.Update(t.Context(), pim.MessageRef{Conversation: pim.DirectTo(aliceAccount), ID: "1", Channel: personal}, hello)
		e := pim.Explain(err)
		if wait := e.Kind == pim.Throttled || e.Kind == pim.Unavailable; wait != slices.Contains(again, status) || e.Kind == pim.Internal {
			t.Errorf("%d is %s", status, e.Kind)
		}
		if lost := e.Kind == pim.AnswerLost; lost != (status >= 500 && status != 503) {
			t.Errorf("%d is %s", status, e.Kind)
		}
	}
}

func TestAnAnswerThatIsLost(t *testing.T) {
	b := newBench(t, nil)
	b.knows(nil)
	b.net.on("POST activities", func(call) *answered { return nil })
	_, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
	if e := pim.Explain(err); e.Kind != pim.Unavailable && e.Kind != pim.AnswerLost || leaks(err) || len(b.net.written()) != 1 {
		t.Errorf("%v, sent %d times", err, len(b.net.written()))
	}
}

func TestHowLongTeamsAsksToWait(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": time.Second, " 2.5 ": 2500 * time.Millisecond, "": 5 * time.Second, "soon": 5 * time.Second, "-1": 5 * time.Second,
		"999999999": time.Hour, "NaN": 5 * time.Second, "Inf": time.Hour, "Mon, 02 Jan 2006 15:04:05 GMT": time.Second,
		"Mon, 02 Jan 2106 15:04:05 GMT": time.Hour,
	} {
		b := newBench(t, nil)
		b.knows(nil)
		b.net.on("POST activities", func(call) *answered {
			resp := reply(429, "")
			resp.header.Set("Retry-After", text)
			return resp
		})
		_, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
		if e := pim.Explain(err); e.Kind != pim.Throttled || e.RetryAfter != want {
			t.Errorf("%q: %+v", text, e)
		}
	}
}

// TestTheTokenGoesToMicrosoftAlone has references that name other services.
func TestTheTokenGoesToMicrosoftAlone(t *testing.T) {
	for _, address := range []string{
		"https://evil.example/", "http://smba.trafficmanager.net/teams/", "https://smba.trafficmanager.net.evil.example/", "https://smba.trafficmanager.net:444/",
		"https://smba.trafficmanager.net@evil.example/", "https://evil.example/?https://smba.trafficmanager.net/", "//smba.trafficmanager.net/", "http://127.0.0.1:1/",
		"", ":", "https://", "file:///etc/passwd", "https://SMBA.trafficmanager.net.:443/",
	} {
		b := newBench(t, nil)
		b.knows(func(r *teams.Reference) { r.ServiceURL = address })
		_, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello)
		if err == nil || b.credential.asked != 0 || len(b.net.calls) != 0 || leaks(err) {
			t.Errorf("%q: %v, asked for %d tokens, called %v", address, err, b.credential.asked, b.net.calls)
		}
	}
}

// sandboxed is a bench against a server on this machine, by real sockets.
func sandboxed(t *testing.T, handle http.HandlerFunc) *bench {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	b := newBench(t, func(c *teams.Config) {
		c.Sandbox, c.Transport, c.Metadata, c.ServiceURL = true, nil, srv.URL+"/openid", srv.URL+"/teams/"
	})
	b.knows(func(r *teams.Reference) { r.ServiceURL = srv.URL + "/teams/" })
	return b
}

func TestARedirectIsNotFollowedWithTheToken(t *testing.T) {
	var stolen atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Store(true) }))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		b := sandboxed(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+botToken {
				t.Error("came without the token")
			}
			http.Redirect(w, r, thief.URL, status)
		})
		if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); err == nil || stolen.Load() {
			t.Errorf("%d: %v, followed: %v", status, err, stolen.Load())
		}
	}
}

func TestAnAnswerThatBreaksOffIsLost(t *testing.T) {
	b := sandboxed(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})
	if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.AnswerLost) {
		t.Errorf("%v", err)
	}
}

func TestNobodyListening(t *testing.T) {
	b := sandboxed(t, nil)
	b.knows(func(r *teams.Reference) { r.ServiceURL = "http://127.0.0.1:1/" })
	if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.Unavailable) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerThatDoesNotEndIsNotReadToItsEnd(t *testing.T) {
	b := sandboxed(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			_, _ = w.Write(make([]byte, 64<<10))
		}
	})
	if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.AnswerLost) {
		t.Errorf("%v", err)
	}
}

func TestCallsAreThoseOfTheConnector(t *testing.T) {
	b := newBench(t, nil)
	b.knows(nil)
	thread := mustPost(t, b, general)
	direct := mustPost(t, b, pim.DirectTo(aliceAccount))
	for _, ref := range []pim.MessageRef{thread, direct} {
		if err := b.client.Update(t.Context(), ref, hello); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"POST /teams/v3/conversations", "POST /teams/v3/conversations/a:alice-and-the-bot/activities",
		"PUT /teams/v3/conversations/19:general@thread.tacv2%3Bmessageid=1/activities/1", "PUT /teams/v3/conversations/a:alice-and-the-bot/activities/1",
	}
	var got []string
	for _, c := range b.net.written() {
		got = append(got, c.method+" "+c.path)
		if c.header.Get("Authorization") != "Bearer "+botToken || c.query != "" {
			t.Errorf("%s had %v and %q", c.path, c.header, c.query)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("called %q", got)
	}
	made := b.net.written()[0].body
	channel, _ := made["channelData"].(object)["channel"].(object)
	if made["tenantId"] != tenant || channel["id"] != channelID || made["isGroup"] != true {
		t.Errorf("sent %v", made)
	}
}

func TestAPersonalChatIsOpenedOnce(t *testing.T) {
	b := newBench(t, nil)
	b.knows(func(r *teams.Reference) { r.Conversation, r.Met = "", channelID })
	for range 2 {
		if ref := mustPost(t, b, pim.DirectTo(aliceAccount)); ref.Channel != personal {
			t.Errorf("posted to %+v", ref)
		}
	}
	opened := slices.DeleteFunc(b.net.written(), func(c call) bool { return !strings.HasSuffix(c.path, "/conversations") })
	if len(opened) != 1 || b.refs.at(teams.PersonKey(alice)).Conversation != personal {
		t.Fatalf("opened %d times, kept %+v", len(opened), b.refs.at(teams.PersonKey(alice)))
	}
	members, _ := opened[0].body["members"].([]any)
	if len(members) != 1 || opened[0].body["isGroup"] != false || opened[0].body["tenantId"] != tenant {
		t.Errorf("sent %v", opened[0].body)
	}
}

func TestAnOpeningThatGotLostIsMadeAgain(t *testing.T) {
	b := newBench(t, nil)
	b.knows(func(r *teams.Reference) { r.Conversation = "" })
	for _, row := range []struct {
		status int
		body   string
	}{{504, ""}, {200, "{}"}, {200, "<html>"}} {
		b.net.on("POST conversations", answer(row.status, row.body))
		if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.Unavailable) {
			t.Errorf("%d %s: %v", row.status, row.body, err)
		}
	}
}

func TestAnswersToPrivateCommandsArePrivate(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer.Card = &hello
	conversation := object{"id": channelID, "conversationType": "groupChat", "tenantId": tenant}
	b.send(typed(object{"recipient": object{"id": bot, "isTargeted": true}, "conversation": conversation}))
	b.handler.Close()
	sent := b.net.written()
	if len(sent) != 1 || sent[0].query != "isTargetedActivity=true" || sent[0].method != http.MethodPost {
		t.Fatalf("sent %v", sent)
	}
	if to, _ := sent[0].body["recipient"].(object); to["id"] != aliceMRI {
		t.Errorf("sent to %v", sent[0].body["recipient"])
	}
	entities, _ := json.Marshal(sent[0].body["entities"])
	if !strings.Contains(string(entities), "targetedMessageInfo") {
		t.Errorf("entities are %s", entities)
	}
}

func TestWhatIsTooLongIsNotSent(t *testing.T) {
	b := newBench(t, nil)
	b.knows(nil)
	typedText := card.Typed(strings.Repeat("wörd ", 3_000))
	long := card.Card{Title: strings.Repeat("t", 30_000), Fallback: "x"}
	for range 200 {
		long.Facts = append(long.Facts, card.Fact{Label: strings.Repeat("l", 200), Value: typedText})
	}
	_, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), long)
	for _, c := range b.net.written() {
		raw, _ := json.Marshal(c.body["attachments"])
		if len(raw) > 26<<10 {
			t.Errorf("%d bytes were sent", len(raw))
		}
	}
	if err != nil && len(b.net.written()) != 0 {
		t.Errorf("%v, and sent", err)
	}
}

func TestWhatIsTooLongHasItsOwnError(t *testing.T) {
	one := func(content any) schema.Activity {
		return schema.Activity{Type: schema.Message, Attachments: []schema.Attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: content}}}
	}
	long := one(strings.Repeat("x", 10))
	for range 4 {
		long.Attachments = append(long.Attachments, one(strings.Repeat("x", 12_000)).Attachments...)
	}
	for name, a := range map[string]schema.Activity{
		"a card": one(strings.Repeat("x", 26<<10)), "a text": {Type: schema.Message, Text: strings.Repeat("x", 41_000)}, "many cards": long,
	} {
		if e := pim.Explain(teams.Sendable(a)); e.Kind != pim.Invalid || e.Code != "MessageSizeTooBig" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if err := teams.Sendable(one(strings.Repeat("x", 25_000))); err != nil {
		t.Error(err)
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	b := newBench(t, nil)
	for name, row := range map[string]struct {
		to   pim.Conversation
		kind pim.Kind
	}{
		"Slack":             {pim.Conversation{Chat: pim.Slack, ID: "C0"}, pim.Forbidden},
		"another tenant":    {pim.Conversation{Chat: pim.Teams, Workspace: "t2", ID: channelID}, pim.Forbidden},
		"nothing":           {pim.Conversation{Chat: pim.Teams, Workspace: tenant}, pim.NotFound},
		"somebody unknown":  {pim.DirectTo(pim.ChatAccount{Chat: pim.Teams, Workspace: tenant, User: "nobody"}), pim.Forbidden},
		"Slack's messenger": {pim.DirectTo(pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: "U0"}), pim.Forbidden},
	} {
		if _, err := b.client.Post(t.Context(), row.to, hello); !pim.IsKind(err, row.kind) || len(b.net.calls) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, ref := range []pim.MessageRef{{}, {Conversation: general, ID: "1"}, {Conversation: general, Channel: "x"}, {Conversation: pim.Conversation{Chat: pim.Slack, ID: "C"}, ID: "1", Channel: "C"}} {
		if err := b.client.Update(t.Context(), ref, hello); !pim.IsKind(err, pim.NotFound) {
			t.Errorf("%+v: %v", ref, err)
		}
	}
}

func TestManyAtOnceWrite(t *testing.T) {
	b := newBench(t, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			to := pim.Conversation{Chat: pim.Teams, Workspace: tenant, ID: "19:" + string(rune('a'+i)) + "@thread.tacv2"}
			if _, err := b.client.Post(t.Context(), to, hello); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What stays in a personal chat has the person's own times, also in lines that the client cannot fill in.
func TestAPersonalChatHasThePersonsOwnTimes(t *testing.T) {
	b := newBench(t, nil)
	b.knows(nil)
	at := machineTime().Truncate(time.Minute)
	what := card.Card{Title: "Roles", Fallback: "Roles.", Lines: []card.Text{
		card.Join(card.Typed("Alice"), card.Plain(" until "), card.At(at)), card.Join(card.Plain("You have it until "), card.At(at)),
	}}
	post := func() string {
		if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), what); err != nil {
			t.Fatal(err)
		}
		all := b.net.written()
		return string(asJSON(all[len(all)-1].body))
	}
	if said := post(); !strings.Contains(said, at.UTC().Format("15:04 UTC")) || strings.Count(said, "{{TIME(") != 1 {
		t.Error(said)
	}
	b.send(typed(object{"localTimezone": "Asia/Tokyo"}))
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	if said := post(); strings.Contains(said, " UTC") || !strings.Contains(said, at.In(tokyo).Format(`"15:04"`)) || strings.Count(said, "{{TIME(") != 1 {
		t.Error(said)
	}
}
