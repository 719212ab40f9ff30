package teams_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"elevate/internal/pim"
)

// mayAnswer are the statuses that Teams may get, whatever came in with a good token.
var mayAnswer = map[int]bool{200: true, 400: true, 403: true, 413: true, 501: true, 503: true}

// fuzzToken is made once: signing takes longer than what is tested.
var fuzzToken = sync.OnceValue(func() string { return token(nil) })

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if !mayAnswer[w.Code] {
		t.Errorf("answered %d", w.Code)
	}
	if w.Code != 200 && w.Body.Len() != 0 {
		t.Errorf("a refusal says %q", w.Body)
	}
	if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
		t.Errorf("answered %q", w.Body)
	}
}

// checkTold checks that nobody but people of the tenant was heard.
func (b *bench) checkTold(t *testing.T) {
	t.Helper()
	for _, from := range b.service.senders {
		if from.Account.Chat != pim.Teams || from.Account.Workspace != tenant || from.Account.User == "" || from.Zone == nil {
			t.Errorf("said by %+v", from)
		}
	}
	for _, c := range b.net.calls {
		if host := strings.ToLower(c.host); host != connector && host != keysHost { // names of hosts have no case
			t.Errorf("called %s", c.host)
		}
	}
	if strings.Contains(b.log.String(), botToken) {
		t.Error("the log holds the token")
	}
}

func FuzzActivity(f *testing.F) {
	f.Add(string(asJSON(typed(nil))))
	f.Add(string(asJSON(typed(object{"value": object{"a": "approve", "r": "abc234"}, "text": nil}))))
	f.Add(string(asJSON(typed(object{"type": "conversationUpdate", "membersAdded": []any{object{"id": bot}}}))))
	f.Add(string(asJSON(typed(object{"type": "installationUpdate", "action": "add"}))))
	f.Add(string(asJSON(typed(object{"entities": []any{object{"type": "mention", "text": "<at>x</at>", "mentioned": object{"id": bot}}, nil, 1}, "recipient": object{"id": bot, "isTargeted": true}}))))
	f.Add(`{"type":"message","TYPE":"invoke","from":{"ID":"29:x"},"From":null}`)
	f.Add(`{"type":null,"channelData":{"tenant":null},"conversation":null}`)
	f.Fuzz(func(t *testing.T, raw string) {
		b := newBench(t, nil)
		checkAnswer(t, b.sendRaw(raw, "Bearer "+fuzzToken()))
		b.handler.Close()
		b.checkTold(t)
	})
}

func FuzzInvoke(f *testing.F) {
	for _, value := range []any{
		object{"action": object{"data": object{"a": "approve", "r": "abc234", "d": "x", "k": "card"}}},
		object{"action": object{"data": object{"a": "deny", "r": "abc234", "i": "reason", "reason": "no"}}},
		object{"action": object{"data": object{"f": "ask", "role": "mde-admin", "reason": "x"}}},
		object{"action": object{"data": []any{1, nil, "x"}}},
		object{"action": nil},
		[]any{},
		"text", nil, 5,
	} {
		f.Add(string(asJSON(value)))
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		b := newBench(t, nil)
		checkAnswer(t, b.sendAs(clicked(object{"value": json.RawMessage(value)}), "Bearer "+fuzzToken()))
		b.handler.Close()
		b.checkTold(t)
		for _, c := range b.service.clicks {
			if len(c.Request) != 0 && len(c.Request) != 6 || c.Ref.ID != "" && c.Ref.Channel == "" {
				t.Errorf("said %+v", c)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(none("none"))
	f.Add(hs256([]byte("x")))
	f.Add("a.b.c")
	f.Add(header(object{"kid": "k2"}))
	f.Fuzz(func(t *testing.T, raw string) {
		b := newBench(t, nil)
		if w := b.sendAs(typed(nil), "Bearer "+raw); w.Code != 401 || b.service.told() != 0 {
			t.Errorf("answered %d to %q", w.Code, raw)
		}
	})
}
