package slack_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/sim/simslack"
)

// vector is a signed command, made apart from the code that is tested. Its time
// is the one that a synctest bubble begins at.
type vector struct {
	Name, Timestamp, Signature, Body string
	Accepted                         bool
}

func TestSignatureVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(v.Body))
				r.Header.Set("Content-Type", formType)
				r.Header.Set("X-Slack-Request-Timestamp", v.Timestamp)
				r.Header.Set("X-Slack-Signature", v.Signature)
				w := b.serve(r)
				if !v.Accepted {
					b.silent(t, w, http.StatusUnauthorized, slack.Signature)
					return
				}
				if w.Code != http.StatusOK || b.service.told() != 1 {
					t.Errorf("answered %d, told %d times", w.Code, b.service.told())
				}
			})
		})
	}
}

func TestAgeOfASignature(t *testing.T) {
	for name, test := range map[string]struct {
		age  time.Duration
		want int
	}{
		"just made":              {0, http.StatusOK},
		"almost five minutes":    {299 * time.Second, http.StatusOK},
		"more than five minutes": {301 * time.Second, http.StatusUnauthorized},
		"from the near future":   {-299 * time.Second, http.StatusOK},
		"from the far future":    {-301 * time.Second, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				body := commandForm(nil).Encode()
				r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(body))
				r.Header.Set("Content-Type", formType)
				simslack.Sign(r.Header, signingSecret, machineTime().Add(-test.age), []byte(body))
				if w := b.serve(r); w.Code != test.want {
					t.Errorf("answered %d, want %d", w.Code, test.want)
				}
			})
		})
	}
}

func TestUnsignedInputChangesNothingAtAnyDoor(t *testing.T) {
	for path, kind := range map[string]string{
		"/slack/commands": formType, "/slack/interactions": formType, "/slack/events": "application/json",
	} {
		b := newBench(t, nil)
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"type":"url_verification","challenge":"x"}`))
		r.Header.Set("Content-Type", kind)
		b.silent(t, b.serve(r), http.StatusUnauthorized, slack.Signature)
	}
}

func TestOversizedInputIsRefusedBeforeItIsRead(t *testing.T) {
	b := newBench(t, nil)
	b.silent(t, b.command(url.Values{"text": {strings.Repeat("a", 256<<10)}}), http.StatusRequestEntityTooLarge, slack.TooLarge)
}

func TestOtherContentTypesAreRefused(t *testing.T) {
	for _, kind := range []string{"", "text/plain", "application/json", "multipart/form-data", "application/x-www-form-urlencoded; ;"} {
		b := newBench(t, nil)
		b.silent(t, b.send("/slack/commands", kind, commandForm(nil).Encode()), http.StatusUnsupportedMediaType, slack.ContentType)
	}
	b := newBench(t, nil)
	b.silent(t, b.send("/slack/events", formType, "a=b"), http.StatusUnsupportedMediaType, slack.ContentType)
}

func TestOnlyPostsAreTaken(t *testing.T) {
	b := newBench(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if w := b.serve(httptest.NewRequest(method, "/slack/commands", http.NoBody)); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s answered %d", method, w.Code)
		}
	}
}

func TestQueryStringIsIgnored(t *testing.T) {
	// The signature does not cover it.
	b := newBench(t, nil)
	b.silent(t, b.send("/slack/commands?"+commandForm(nil).Encode(), formType, "text=x"), http.StatusBadRequest, slack.Malformed)

	b = newBench(t, nil)
	b.send("/slack/commands?text=evil&user_id=U0EVIL", formType, commandForm(nil).Encode())
	if b.service.told() != 1 || b.service.commands[0] != "mde-admin isolating WS-042" || b.service.senders[0].Account.User != alice {
		t.Errorf("the workflow was told %q by %v", b.service.commands, b.service.senders)
	}

	b = newBench(t, nil)
	payload, _ := json.Marshal(clickOn(`{"a":"approve","r":"abc234"}`))
	b.silent(t, b.send("/slack/interactions?"+url.Values{"payload": {string(payload)}}.Encode(), formType, "a=b"), http.StatusBadRequest, slack.Malformed)
}

func TestCertificateCheckGetsABareAnswer(t *testing.T) {
	form := commandForm(url.Values{"ssl_check": {"1"}}).Encode()
	b := newBench(t, nil)
	unsigned := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(form))
	unsigned.Header.Set("Content-Type", formType)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"signed": b.send("/slack/commands", formType, form), "unsigned": b.serve(unsigned),
	} {
		if w.Code != http.StatusOK || w.Body.Len() != 0 || b.service.told() != 0 {
			t.Errorf("%s: answered %d %q, told %d times", name, w.Code, w.Body, b.service.told())
		}
	}
}

func TestRepetitionHasTheSameName(t *testing.T) {
	b := newBench(t, nil)
	body := commandForm(nil).Encode()
	b.send("/slack/commands", formType, body)
	b.send("/slack/commands", formType, body)
	b.command(url.Values{"trigger_id": {"1.4.other"}})
	b.command(url.Values{"trigger_id": nil})
	b.command(url.Values{"trigger_id": nil})
	var names []string
	for _, s := range b.service.senders {
		names = append(names, s.Once)
		if s.Once == "" || strings.Contains(s.Once, "trigger") {
			t.Errorf("the name is %q: empty, or shows the trigger id", s.Once)
		}
	}
	if names[0] != names[1] || names[1] == names[2] || names[2] == names[3] || names[3] != names[4] {
		t.Errorf("names: %q", names)
	}
}
