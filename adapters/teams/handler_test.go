package teams_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/teams"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

func TestBodiesThatAreRefused(t *testing.T) {
	raw := string(asJSON(typed(nil)))
	deep := func(open, end string, n int) string {
		return strings.TrimSuffix(raw, "}") + `,"value":` + strings.Repeat(open, n) + strings.Repeat(end, n) + "}"
	}
	for name, row := range map[string]struct {
		body, kind string
		status     int
		reason     string
	}{
		"nothing":               {"", "application/json", 400, teams.Malformed},
		"null":                  {"null", "application/json", 400, teams.Malformed},
		"a list":                {"[]", "application/json", 400, teams.Malformed},
		"no JSON":               {"type=message", "application/json", 400, teams.Malformed},
		"cut off":               {raw[:len(raw)-1], "application/json", 400, teams.Malformed},
		"two":                   {raw + raw, "application/json", 400, teams.Malformed},
		"lists in lists":        {deep("[", "]", 100_000), "application/json", 400, teams.Malformed},
		"objects in objects":    {deep(`{"a":`, `}`, 10_000), "application/json", 400, teams.Malformed},
		"just too deep":         {deep("[", "]", 64), "application/json", 400, teams.Malformed},
		"10 MB":                 {strings.Repeat(" ", 10<<20) + raw, "application/json", 413, teams.TooLarge},
		"a form":                {raw, "application/x-www-form-urlencoded", 415, teams.ContentType},
		"no type":               {raw, "", 415, teams.ContentType},
		"a sender that is none": {string(asJSON(typed(object{"from": "alice"}))), "application/json", 400, teams.Malformed},
		"a text that is none":   {string(asJSON(typed(object{"text": 5}))), "application/json", 400, teams.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			r := httptest.NewRequest(http.MethodPost, "/api/messages", strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.kind)
			r.Header.Set("Authorization", "Bearer "+token(nil))
			b.silent(t, b.serve(r), row.status, row.reason)
		})
	}
}

func TestDepthAndSizeThatAreTaken(t *testing.T) {
	for name, value := range map[string]any{
		"brackets in a text":    strings.Repeat(`[{"\`, 1000),
		"as large as it may be": strings.Repeat("x", 250<<10),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			if w := b.send(typed(object{"value": value})); w.Code != http.StatusOK || b.service.told() != 1 {
				t.Errorf("answered %d, counted %v", w.Code, b.counts.of)
			}
		})
	}
}

func TestOnlyPostIsTaken(t *testing.T) {
	b := newBench(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if w := b.serve(httptest.NewRequest(method, "/api/messages", nil)); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: answered %d", method, w.Code)
		}
	}
	if b.service.told() != 0 || len(b.net.calls) != 0 {
		t.Error("somebody was told")
	}
}

func TestWhoHasNoObjectIDIsNobody(t *testing.T) {
	for name, from := range map[string]object{
		"anonymous": {"id": "29:x", "name": "Alice Example"}, "a bot by its role": {"id": "29:x", "aadObjectId": alice, "role": "bot"}, "nobody": nil,
	} {
		t.Run(name, func(t *testing.T) {
			for _, make := range []func(object) object{typed, clicked} {
				b := newBench(t, nil)
				b.silent(t, b.send(make(object{"from": from})), http.StatusForbidden, teams.NotAllowed)
			}
		})
	}
}

func TestARepetitionGetsTheSameAnswer(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Title: "Approved", Fallback: "Approved.", Lines: []card.Text{card.Plain("Approved.")}}}
	first := b.send(clicked(nil))
	told := b.service.told()
	again := b.send(clicked(nil))
	if again.Body.String() != first.Body.String() || first.Body.Len() == 0 || b.service.told() != told || b.counts.at(teams.Repeated) != 1 {
		t.Errorf("answered %q and then %q, told %d and then %d times", first.Body, again.Body, told, b.service.told())
	}
	for name, with := range map[string]object{
		"another id":           {"id": "f:2"},
		"another conversation": {"conversation": object{"id": "19:other@thread.tacv2", "tenantId": tenant}},
		"another person":       {"from": object{"id": "29:bob", "aadObjectId": alice}},
	} {
		before := b.service.told()
		if b.send(clicked(with)); b.service.told() == before {
			t.Errorf("%s: nobody was told", name)
		}
	}
}

func TestARepetitionWaitsWhileTheFirstRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.send(typed(object{"id": "before"})) // keys and profile are known then
		told := b.service.told()
		b.service.during = func() { time.Sleep(time.Second) }
		b.service.answer = workflow.Reply{Card: &card.Card{Title: "Done", Fallback: "Done."}}
		answers := make([]string, 5)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				answers[i] = b.send(clicked(object{"value": object{"action": object{"data": object{"a": "cancel", "k": "card"}}}})).Body.String()
			})
		}
		all.Wait()
		if b.service.told() != told+1 || b.counts.at(teams.Repeated) != 4 {
			t.Errorf("told %d times, counted %v", b.service.told()-told, b.counts.of)
		}
		for _, got := range answers {
			if got != answers[0] || got == "" {
				t.Errorf("answered %q and %q", answers[0], got)
			}
		}
		b.handler.Close()
	})
}

func TestOnePersonDoesNotKeepTheOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.net.on("GET members", everybody)
		b.net.on("POST activities", func(call) *answered { time.Sleep(10 * time.Second); return reply(201, `{"id":"1"}`) })
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		says := func(who string, n int) int { return b.send(saidBy(who, n)).Code }
		for n := range 6 {
			want := http.StatusOK
			if n >= 4 {
				want = http.StatusServiceUnavailable
			}
			if got := says("mallory", n); got != want {
				t.Errorf("message %d: answered %d", n, got)
			}
		}
		if got := says("bob", 1); got != http.StatusOK {
			t.Errorf("another person is answered %d", got)
		}
		b.handler.Close()
		time.Sleep(time.Minute) // the network has answered everything then
	})
}

func TestWhatWasSaidGoesOnWhenTheConnectionEnds(t *testing.T) {
	b := newBench(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	b.service.during = func() { cancel() }
	b.net.on("GET members", func(call) *answered {
		cancel() // the connection ends while Teams is asked who it is
		time.Sleep(10 * time.Millisecond)
		return reply(200, `{"id":"`+aliceMRI+`","aadObjectId":"`+alice+`","tenantId":"`+tenant+`","userRole":"user"}`)
	})
	b.sendAs(typed(object{"type": "typing"}), "Bearer "+token(nil)) // the keys are known then
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/messages", strings.NewReader(string(asJSON(typed(nil)))))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token(nil))
	if w := b.serve(r); w.Code != http.StatusOK || b.service.told() != 1 {
		t.Errorf("answered %d, told %d times", w.Code, b.service.told())
	}
}

func TestRepetitionsAreForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.service.answer = workflow.Reply{Card: &card.Card{Fallback: "x"}}
		b.send(clicked(nil))
		told := b.service.told()
		time.Sleep(9 * time.Minute)
		if b.send(clicked(nil)); b.service.told() != told {
			t.Error("forgotten after nine minutes")
		}
		time.Sleep(2 * time.Minute)
		if b.send(clicked(nil)); b.service.told() == told {
			t.Error("remembered after eleven minutes")
		}
		b.handler.Close()
	})
}

func TestClicksWithoutAnIDAreAlwaysNew(t *testing.T) {
	b := newBench(t, nil)
	b.send(clicked(object{"id": nil}))
	told := b.service.told()
	if b.send(clicked(object{"id": nil})); b.service.told() == told {
		t.Error("the second was taken for the first")
	}
}

func TestAPanicIsCountedAndMayComeAgain(t *testing.T) {
	b := newBench(t, nil)
	b.service.during = func() { panic("a secret in a panic") }
	if w := b.send(clicked(nil)); w.Code != http.StatusInternalServerError || w.Body.Len() != 0 || b.counts.at(teams.Panicked) != 1 {
		t.Errorf("answered %d %q, counted %v", w.Code, w.Body, b.counts.of)
	}
	if strings.Contains(b.log.String(), "a secret") {
		t.Error("the log says what was in the panic")
	}
	b.service.during = nil
	if w := b.send(clicked(nil)); w.Code != http.StatusOK || b.service.told() == 0 {
		t.Errorf("the second try was answered %d", w.Code)
	}
}

func TestManyActivitiesDoNotFillTheMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand activities")
	}
	b := newBench(t, nil)
	for i := range 12_000 {
		b.sendAs(typed(object{"type": "typing", "id": fmt.Sprint(i)}), "Bearer "+fuzzToken())
	}
	if n := b.handler.Remembered(); n > 10_000 {
		t.Errorf("%d are remembered", n)
	}
}

func TestUnknownInvokesAreSaidToBe(t *testing.T) {
	for _, name := range []string{"signin/tokenExchange", "task/fetch", "composeExtension/query", "brandNew", ""} {
		b := newBench(t, nil)
		b.silent(t, b.send(clicked(object{"name": name})), http.StatusNotImplemented, teams.Unknown)
	}
}

// What came of a form stands in its place, so that nobody sends it twice; a list stays.
func TestAFormThatWasSentGivesWayToItsAnswer(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Title: "Stored", Lines: []card.Text{card.Plain("It was stored.")}, Fallback: "It was stored."}}
	act := func(data object) string {
		return b.send(clicked(object{"id": nil, "value": object{"action": object{"type": "Action.Execute", "data": data}}})).Body.String()
	}
	if said := act(object{"f": "ask", "role": "mde-admin", "reason": "x"}); !strings.Contains(said, "application/vnd.microsoft.card.adaptive") {
		t.Errorf("the form was answered %s", said)
	}
	if said := act(object{"a": "cancel", "r": "abc234"}); !strings.Contains(said, "application/vnd.microsoft.activity.message") {
		t.Errorf("the list was answered %s", said)
	}
}

// What a review found stands beside its button, on the card that many see.
func TestANoteBesideTheButtonIsAFilledForm(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Card: &card.Card{Title: "Checked", Fallback: "It is being checked."}}
	b.send(clicked(object{"id": nil, "value": object{"action": object{"type": "Action.Execute", "data": object{
		"a": "review", "r": "abc234", "d": "d1", "i": "reason.0", "reason.0": "looked at it",
	}}}}))
	if len(b.service.filled) != 1 || len(b.service.clicks) != 0 {
		t.Fatalf("told %+v and %+v", b.service.filled, b.service.clicks)
	}
	if f := b.service.filled[0]; f.Name != card.FormReview || f.Request != "abc234" || f.Values[card.FieldNote] != "looked at it" {
		t.Errorf("told %+v", f)
	}
}

// askForm is the form for so many roles whose names and titles have such lengths.
func askForm(roles, name, title int) *card.Form {
	var all pim.Roles
	for n := range roles {
		all = append(all, pim.Role{Name: fmt.Sprintf("r%0*d", name-1, n), Title: strings.Repeat("T", title), NeedsReason: true})
	}
	f := card.AskForm(card.Prefill{Roles: all})
	return &f
}

func TestAFormIsShownShortenedOrAnsweredInWords(t *testing.T) {
	const instead = "Type `/elevate ROLE REASON`"
	for name, row := range map[string]struct {
		form      *card.Form
		has, hasn string
	}{
		"as it is":         {askForm(50, 10, 200), "TTTT", instead},
		"by its names":     {askForm(200, 10, 200), `"title":"r000000199"`, "TTTT"},
		"too many by name": {askForm(2000, 10, 200), instead, `"Input.ChoiceSet"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.service.answer.Form = row.form
			b.send(typed(object{"text": "elevate"}))
			b.handler.Close()
			written := b.net.written()
			if len(written) != 1 || b.counts.at(teams.Undelivered) != 0 {
				t.Fatalf("sent %d messages, counted %v", len(written), b.counts.of)
			}
			click := b.send(clicked(object{"value": object{"action": object{"data": object{"a": "form"}}}})).Body.String()
			again := b.send(clicked(object{"id": "f:2", "value": object{"action": object{"data": object{"f": "ask", "role": "none"}}}})).Body.String()
			for _, said := range []string{string(asJSON(written[0].body)), click, again} {
				if !strings.Contains(said, row.has) || strings.Contains(said, row.hasn) || len(said) > 27<<10 {
					t.Errorf("answered %.3000s", said)
				}
			}
		})
	}
}

func TestAFormThatIsTooLongToShowAgainIsAnsweredInWords(t *testing.T) {
	b := newBench(t, nil)
	b.service.answer = workflow.Reply{Form: askForm(3, 5, 20), Errors: map[string]string{card.FieldReason: "Give a shorter reason."}}
	data := object{"f": "ask", "role": "r0001", "reason": strings.Repeat("x", 30_000)}
	said := b.send(clicked(object{"value": object{"action": object{"data": data}}})).Body.String()
	if !strings.Contains(said, "application/vnd.microsoft.activity.message") || !strings.Contains(said, "Give a shorter reason.") {
		t.Errorf("answered %.300s", said)
	}
}

func TestAnswersAreNotKeptByAnybodyBetween(t *testing.T) {
	b := newBench(t, nil)
	for _, w := range []*httptest.ResponseRecorder{b.send(typed(nil)), b.sendAs(typed(nil), "junk")} {
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", w.Header())
		}
	}
}
