package entra_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	jsonformat "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/adapters/entra"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

// The tests of this file are named after the lines of what the SDK really does.

func TestLine01EnumsOfAnySpellingSurvive(t *testing.T) {
	body := `{"id":"1","status":"PROVISIONED","Action":"SELFACTIVATE","accessid":"Member","ScheduleInfo":{"expiration":{"type":"AfterDuration","duration":"PT1H"}}}`
	c := submittedCopy(t, body)
	if c.Action != pim.SelfActivate || c.Access != "member" || c.Expiration != "afterDuration" || c.Status != "PROVISIONED" {
		t.Errorf("%+v", c)
	}
}

func TestLine01UnknownWordsAreKeptAsTheyCame(t *testing.T) {
	c := submittedCopy(t, `{"id":"1","action":"selfTeleport","accessId":"guest","scheduleInfo":{"expiration":{"type":"afterLunch"}}}`)
	if c.Action != "selfTeleport" || c.Access != "guest" || c.Expiration != "afterLunch" {
		t.Errorf("%+v", c)
	}
}

func submittedCopy(t *testing.T, body string) pim.Copy {
	t.Helper()
	g := newGraph(t, func(w http.ResponseWriter, _ seen) { reply(w, http.StatusCreated, body) })
	c, err := client(t, config(g)).Submit(t.Context(), aliceActs, activation())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLine02UnknownOperationsAreNotAll(t *testing.T) {
	body := entra.Respell([]byte(`{"operations":["Deactivate","Teleport","All"]}`))
	node, err := jsonformat.NewJsonParseNode(body)
	if err != nil {
		t.Fatal(err)
	}
	target, err := node.GetObjectValue(models.CreateUnifiedRoleManagementPolicyRuleTargetFromDiscriminatorValue)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(models.SerializeUnifiedRoleManagementPolicyRuleTargetOperations(
		target.(models.UnifiedRoleManagementPolicyRuleTargetable).GetOperations()))
	if got != "[deactivate unknownFutureValue all]" {
		t.Error(got)
	}
}

func TestLine03DurationsOfAnswersAreExact(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT45S": 45 * time.Second, "PT24H": 24 * time.Hour, "P1D": 24 * time.Hour, "P7D": 168 * time.Hour, "P1W": 168 * time.Hour,
		"P365D": 365 * 24 * time.Hour, "PT1H30M": 90 * time.Minute, "PT0S": 0, "PT1M0.5S": time.Minute + 500*time.Millisecond, "pt2h": 2 * time.Hour,
	} {
		c := submittedCopy(t, `{"id":"1","scheduleInfo":{"expiration":{"duration":"`+text+`"}}}`)
		if c.Duration != want {
			t.Errorf("%s: %v, want %v", text, c.Duration, want)
		}
	}
}

func TestLine04NothingThatChangesIsRepeated(t *testing.T) {
	for _, status := range []int{429, 500, 502, 503, 504} {
		g := refusing(t, status, "{}", "Retry-After", "0")
		_ = submitted(t, g)
		g.only(t)
	}
	for _, status := range []int{429, 503, 504} {
		g := approval(t, recorded(t, "get-approvalStage.response.json"), status)
		if _, err := client(t, config(g)).Decide(t.Context(), aliceActs, pim.Ruling{ApprovalID: "a1"}); err == nil {
			t.Error("no error")
		}
		if n := len(g.seenCalls()); n != 2 {
			t.Errorf("%d: %d calls, want a GET and a PATCH", status, n)
		}
	}
}

func TestLine05And06BodiesArePlain(t *testing.T) {
	for range 20 { // the order of the SDK's own middleware differs from client to client
		g := refusing(t, http.StatusUnsupportedMediaType, "")
		_ = submitted(t, g)
		if call := g.only(t); call.header.Get("Content-Encoding") != "" || !strings.HasPrefix(call.body, "{") {
			t.Errorf("%v %q", call.header, call.body)
		}
	}
}

func TestLine07OddErrorBodiesDoNotPanic(t *testing.T) {
	for _, body := range []string{`{}`, `{"error":null}`, `{"error":{"code":"x"}}`, `{"error":{"innerError":7}}`, `{"error":[]}`, `{"error":{"details":[null]}}`} {
		if e := submitted(t, refusing(t, 400, body)); e.Kind != pim.Invalid {
			t.Errorf("%s: %s", body, e.Kind)
		}
	}
}

func TestLine08TheStatusOfAnUnreadableErrorIsKnown(t *testing.T) {
	for _, body := range []string{"<html>SECRET</html>", `{"error":{"code":"Ro`, ""} {
		g := refusing(t, 429, body, "Retry-After", "3")
		if e := submitted(t, g); e.Kind != pim.Throttled || e.RetryAfter != 3*time.Second || e.RequestID == "" {
			t.Errorf("%q: %+v", body, e)
		}
	}
}

func TestLine09ABrokenConnectionMayHaveBeenDone(t *testing.T) {
	g := newGraph(t, func(w http.ResponseWriter, _ seen) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	if e := submitted(t, g); e.Kind != pim.AnswerLost {
		t.Errorf("submit: %s", e.Kind)
	}
	g.only(t)
	_, err := client(t, config(g)).Look(t.Context(), pim.Question{Requests: []string{"1"}})
	if e := explain(t, err); e.Kind != pim.Unavailable {
		t.Errorf("look: %s", e.Kind)
	}
}

func TestLine09WhatWasNeverSentWasNotDone(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	g := created(t)
	cfg := config(g)
	cfg.Graph = "https://" + listener.Addr().String()
	_, err = client(t, cfg).Submit(t.Context(), aliceActs, activation())
	e := explain(t, err)
	checkSentence(t, e, err)
	if e.Kind != pim.Unavailable {
		t.Errorf("%s", e.Kind)
	}
}

func TestAnUnreadableAnswerToAChangeIsLost(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"no body":        func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) },
		"no id":          func(w http.ResponseWriter) { reply(w, http.StatusCreated, `{"status":"Provisioned"}`) },
		"half a body":    func(w http.ResponseWriter) { reply(w, http.StatusCreated, `{"id":"1",`) },
		"a wrong time":   func(w http.ResponseWriter) { reply(w, http.StatusCreated, `{"id":"1","createdDateTime":"SECRET"}`) },
		"another shape":  func(w http.ResponseWriter) { reply(w, http.StatusCreated, `{"id":{},"scheduleInfo":[]}`) },
		"a bad gateway":  func(w http.ResponseWriter) { http.Error(w, "", http.StatusBadGateway) },
		"an endless one": func(w http.ResponseWriter) { reply(w, http.StatusCreated, `"`+strings.Repeat("x", 17<<20)+`"`) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGraph(t, func(w http.ResponseWriter, _ seen) { answer(w) })
			if e := submitted(t, g); e.Kind != pim.AnswerLost {
				t.Errorf("%s: %s", e.Kind, e.Message)
			}
			g.only(t)
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		g := refusing(t, status, "", "Location", "/elsewhere")
		if e := submitted(t, g); e.Kind != pim.Administered {
			t.Errorf("%d: %s", status, e.Kind)
		}
		g.only(t)
	}
}

func TestLine10TheWrappedEnvelopeIsUnwrapped(t *testing.T) {
	e := submitted(t, refusing(t, 400, wrapped("RoleAssignmentExists", "The Role assignment already exists.")))
	if e.Kind != pim.Conflict || e.Code != "RoleAssignmentExists" {
		t.Errorf("%+v", e)
	}
}

const challenge = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`

// challenging is a Graph that refuses the first token with this header.
func challenging(t *testing.T, header string) *fakeGraph {
	t.Helper()
	return newGraph(t, func(w http.ResponseWriter, call seen) {
		if call.token == "satisfied" {
			reply(w, http.StatusCreated, recorded(t, "create-assignmentScheduleRequest.selfActivate.response.json"))
			return
		}
		w.Header().Set("WWW-Authenticate", header)
		reply(w, http.StatusUnauthorized, standard("InvalidAuthenticationToken", "Continuous access evaluation"))
	})
}

func TestLine11AChallengeIsASignIn(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(challenge))
	for name, tc := range map[string]struct{ header, claims string }{
		"as documented":  {`Bearer realm="", authorization_uri="https://login/common", error="insufficient_claims", claims="` + encoded + `"`, challenge},
		"unquoted":       {`Bearer error=insufficient_claims, claims=` + encoded, challenge},
		"url-safe":       {`bearer claims="` + base64.RawURLEncoding.EncodeToString([]byte(challenge)) + `"`, challenge},
		"broken claims":  {`Bearer error="insufficient_claims", claims=`, ""},
		"no JSON inside": {`Bearer claims="aGVsbG8="`, ""},
		"none":           {`Bearer realm=""`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := challenging(t, tc.header)
			e := submitted(t, g)
			if e.Kind != pim.SignIn || e.Claims != tc.claims {
				t.Errorf("%+v", e)
			}
			if tc.claims != "" && e.Message != "Sign in again, please." {
				t.Errorf("the session's own error got lost: %s", e.Message)
			}
			g.only(t)
		})
	}
}

func TestLine11TheSameTokenIsNotSentTwice(t *testing.T) {
	g := challenging(t, `Bearer claims="`+base64.StdEncoding.EncodeToString([]byte(challenge))+`"`)
	cfg := config(g)
	cfg.PersonToken = func(context.Context, pim.Actor, string) (secret.Text, time.Time, error) {
		return secret.New("stubborn"), time.Time{}, nil
	}
	_, err := client(t, cfg).Submit(t.Context(), aliceActs, activation())
	if e := explain(t, err); e.Kind != pim.SignIn || e.Claims != challenge {
		t.Errorf("%+v", e)
	}
	g.only(t)
}

func TestLine11ASatisfiedChallengeGoesOn(t *testing.T) {
	g := challenging(t, `Bearer claims="`+base64.StdEncoding.EncodeToString([]byte(challenge))+`"`)
	cfg := config(g)
	cfg.PersonToken = func(_ context.Context, _ pim.Actor, claims string) (secret.Text, time.Time, error) {
		if claims == challenge {
			return secret.New("satisfied"), time.Time{}, nil
		}
		return secret.New("plain"), time.Time{}, nil
	}
	if _, err := client(t, cfg).Submit(t.Context(), aliceActs, activation()); err != nil {
		t.Error(err)
	}
	if n := len(g.seenCalls()); n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestLine15TimesWithoutAZoneAreUTC(t *testing.T) {
	repaired := string(entra.Respell([]byte(`{"value":[{"endDateTime":"2023-02-07T07:05:53"}]}`)))
	if !strings.Contains(repaired, `"2023-02-07T07:05:53Z"`) { // whatever zone this machine is in
		t.Error(repaired)
	}
	c := submittedCopy(t, `{"id":"1","createdDateTime":"2023-02-07T07:05:53","completedDateTime":"2023-02-07T07:05:53.5","scheduleInfo":{"startDateTime":"0001-01-01T08:00:00Z"}}`)
	if want := time.Date(2023, 2, 7, 7, 5, 53, 0, time.UTC); c.Created != want || c.Completed != want.Add(500*time.Millisecond) || !c.Start.IsZero() {
		t.Errorf("%+v", c)
	}
}

func TestLine16NoCallGoesOutWithoutAToken(t *testing.T) {
	g := created(t)
	broken := errors.New("the session store is closed")
	for name, tc := range map[string]struct {
		token secret.Text
		err   error
		kind  pim.Kind
	}{
		"empty token": {secret.New(""), nil, pim.SignIn}, "no session": {secret.Text{}, pim.Errorf(pim.SignIn, "Sign in."), pim.SignIn}, "broken store": {secret.Text{}, broken, pim.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(g)
			cfg.PersonToken = func(context.Context, pim.Actor, string) (secret.Text, time.Time, error) {
				return tc.token, time.Time{}, tc.err
			}
			_, err := client(t, cfg).Submit(t.Context(), aliceActs, activation())
			if e := explain(t, err); e.Kind != tc.kind || (tc.err != nil && !errors.Is(err, tc.err)) {
				t.Errorf("%+v", err)
			}
		})
	}
	if n := len(g.seenCalls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestLine16OnlyGraphsHostIsCalled(t *testing.T) {
	g := created(t)
	for _, address := range []string{"http://graph.microsoft.com", "graph.microsoft.com", "https://graph.microsoft.com/beta", "https://user@graph.microsoft.com", "https://", ""} {
		cfg := config(g)
		cfg.Graph = address
		if _, err := entra.New(cfg); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}

func TestLine12NoContentIsADecision(t *testing.T) {
	g := approval(t, recorded(t, "get-approvalStage.response.json"), http.StatusNoContent)
	if stage, err := client(t, config(g)).Decide(t.Context(), aliceActs, pim.Ruling{ApprovalID: "a1", Approve: true}); err != nil || stage.ID == "" {
		t.Errorf("%+v, %v", stage, err)
	}
}

func TestLine13CallsGoToTheVersionAndCarryJSON(t *testing.T) {
	g := created(t)
	if _, err := client(t, config(g)).Submit(t.Context(), aliceActs, activation()); err != nil {
		t.Fatal(err)
	}
	call := g.only(t)
	if !strings.HasPrefix(call.path, "/v1.0/") || call.header.Get("Content-Type") != "application/json" || call.header.Get("Content-Length") == "" {
		t.Errorf("%+v", call)
	}
}

func TestLine17TypesThatAreAddressesDoNoHarm(t *testing.T) {
	body := recorded(t, "create-assignmentScheduleRequest.adminAssign.response.json")
	if c := submittedCopy(t, body); c.Action != pim.AdminAssign || c.Status != "Provisioned" {
		t.Errorf("%+v", c)
	}
}

func TestACanceledCallSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	g := newGraph(t, func(http.ResponseWriter, seen) { cancel(); <-over })
	t.Cleanup(func() { close(over) }) // before the server is closed
	_, err := client(t, config(g)).Submit(ctx, aliceActs, activation())
	if e := explain(t, err); e.Kind != pim.AnswerLost || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", err)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		t.Error("the address is in the error")
	}
}
