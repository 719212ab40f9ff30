package card_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// checkSteps holds which steps are told of each story, each in one line.
func checkSteps(t *testing.T, steps func(pim.Request, pim.Role) []card.Told, stepsOf map[string][]string) {
	t.Helper()
	for story, want := range stepsOf {
		r, known := stories()[story]
		if !known {
			t.Fatalf("there is no story %s", story)
		}
		var got []string
		for _, told := range steps(r, adminRole()) {
			got = append(got, told.Name)
			if len(told.Card.Lines) != 1 || told.Card.Title != "" || told.Card.Fallback == "" || len(told.Card.Buttons) != 0 {
				t.Errorf("%s, %s: %+v", story, told.Name, told.Card)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", story, got, want)
		}
	}
}

func TestProgressNamesEachStepThatARequestHasTaken(t *testing.T) {
	checkSteps(t, card.Progress, map[string][]string{
		"pending":         nil,
		"granting_late":   {"approved by", "late"},
		"active":          {"approved by", "member"},
		"active_portal":   {"approved by", "member"},
		"active_revoking": {"approved by", "member"},
		"ended_released":  {"approved by", "member", "ended"},
		"ended_expired":   {"approved by", "member", "ended"},
		"ended_stillby":   {"approved by", "member", "remains"},
	})
}

func TestProgressSaysWhoEndsAnAccess(t *testing.T) {
	r := member(pim.Active)
	last := func() string {
		told := card.Progress(r, adminRole())
		return words(told[len(told)-1].Card.Lines[0])
	}
	r.Leaving = pim.Released
	if said := last(); said != "Released by Alice." {
		t.Error(said)
	}
	r.Leaving, r.Revoking = pim.Revoked, &pim.Revoking{By: pim.Actor{Name: "Erin"}, Reason: "not needed"}
	if said := last(); said != "Revoked by Erin: not needed" {
		t.Error(said)
	}
}

func TestWhatPIMSaysLaterOfADecisionIsAStepOfItsOwn(t *testing.T) {
	r := member(pim.Active)
	r.Decided = &pim.Decided{Approve: true, Chat: pim.Portal}
	if told := card.Progress(r, adminRole())[0]; told.Name != "approved" || words(told.Card.Lines[0]) != "Approved in PIM." {
		t.Errorf("%s: %s", told.Name, words(told.Card.Lines[0]))
	}
	r.Decided.By.Name, r.Decided.Reason = "Bob", "go on"
	if told := card.Progress(r, adminRole())[0]; told.Name != "approved by" || words(told.Card.Lines[0]) != "Approved in PIM by Bob: go on" {
		t.Errorf("%s: %s", told.Name, words(told.Card.Lines[0]))
	}
}

func TestTheRequesterHearsOfEachStep(t *testing.T) {
	checkSteps(t, card.Heard, map[string][]string{
		"pending":        nil,
		"granting_late":  {"approved", "late"},
		"active":         {"approved", "member"},
		"denied":         {"denied"},
		"canceled_late":  nil,
		"canceled":       {"over"},
		"timed_out":      {"over"},
		"ended_released": {"approved", "member", "ended"},
		"ended_stillby":  {"approved", "member", "remains"},
		"ended_expired":  {"approved", "member", "ended"},
	})
}

func TestACardSaysHowLongTheMembershipTook(t *testing.T) {
	direct := func(r *pim.Request) { r.Decided, r.Submitted = nil, r.MemberSince.Add(-7*time.Second) }
	for want, change := range map[string]func(*pim.Request){
		"(read back, 11 s after the approval)": func(*pim.Request) {},
		"(read back, 7 s after PIM was asked)": direct,
		"(read back, 2 s after its start)":     func(r *pim.Request) { r.Copy.Start = r.MemberSince.Add(-2 * time.Second); r.Copy.Created = asked },
		"member since (read back)":             func(r *pim.Request) { r.Chat = pim.Portal },
		"(read back, 1 s after PIM was asked)": func(r *pim.Request) { direct(r); r.Submitted = r.MemberSince },
	} {
		c := card.ForRequest(with(member(pim.Active), change), adminRole(), card.View{Viewer: card.Requester})
		said := ""
		for _, step := range c.Steps {
			said += words(step.What) + "\n"
		}
		if !strings.Contains(said, want) {
			t.Errorf("%q lacks %s", said, want)
		}
	}
}

func TestAnAccessWhoseTimeIsOverIsNotCalledActive(t *testing.T) {
	r := member(pim.Active)
	for _, viewer := range []card.Viewer{card.Requester, card.OnCall, card.Approvers} {
		before := card.ForRequest(r, adminRole(), card.View{Viewer: viewer, Now: r.Ends.Add(-time.Second)})
		after := card.ForRequest(r, adminRole(), card.View{Viewer: viewer, Now: r.Ends})
		if before.Tone != card.Good || after.Tone == card.Good || strings.Contains(after.Title, "active") || !strings.Contains(after.Title, "being read back") {
			t.Errorf("%s: %q, then %q", viewer, before.Title, after.Title)
		}
		if !strings.HasPrefix(words(after.Lines[0]), "Its time was over at") || len(after.Buttons) != 1 || after.Buttons[0].Act != card.Refresh {
			t.Errorf("%s: %+v, %+v", viewer, after.Lines, after.Buttons)
		}
	}
	r.Releasing = &pim.Releasing{}
	list := card.StatusList([]pim.Request{r}, nil, pim.Roles{adminRole()}, r.Ends.Add(-time.Minute))
	if said := words(list.Lines[0]); !strings.Contains(said, "about to be released, asked") {
		t.Error(said)
	}
}

func TestWhatHappenedStandsInItsOrder(t *testing.T) {
	r := over(pim.Expired, time.Hour)
	r.Review = &pim.Review{By: pim.Actor{Name: "Carol"}, Closed: r.MemberSince.Add(time.Minute)}
	steps := card.ForRequest(r, adminRole(), card.View{Viewer: card.OnCall}).Steps
	if !slices.IsSortedFunc(steps, func(a, b card.Step) int { return a.At.Compare(b.At) }) {
		t.Errorf("%+v", steps)
	}
}

func TestTheRequesterHearsOfADecisionInPIMInWholeSentences(t *testing.T) {
	r := member(pim.Active)
	r.Decided = &pim.Decided{Approve: true, Chat: pim.Portal, By: pim.Actor{Name: "Bob"}, Reason: "by phone", At: r.Decided.At}
	said := words(card.Heard(r, adminRole())[0].Card.Lines[0])
	if !strings.HasPrefix(said, "Your request for MDE Administrator was approved in PIM by Bob at ") || !strings.HasSuffix(said, ": by phone") {
		t.Error(said)
	}
}

// What a reminder says stays, whatever else turns the card.
func TestApproversSeeThatItStillWaits(t *testing.T) {
	r := inPIM(pim.Pending)
	r.Reminded = asked.Add(15 * time.Minute)
	for viewer, want := range map[card.Viewer]bool{card.Approvers: true, card.Requester: false} {
		c := card.ForRequest(r, adminRole(), card.View{Viewer: viewer, Now: r.Reminded})
		said := ""
		for _, line := range c.Lines {
			said += words(line)
		}
		if strings.Contains(said, "Still waiting since") != want {
			t.Errorf("%s: %s", viewer, said)
		}
	}
}

func TestAStoryIsToldInPeoplesWords(t *testing.T) {
	alice := pim.Actor{Name: "Alice"}
	c := card.Story(member(pim.Active), adminRole(), []pim.Event{
		{Kind: pim.EventSubmitted, By: alice, Chat: pim.Slack, At: asked},
		{Kind: pim.EventRefused, By: alice, Chat: pim.Slack, Text: "too early", At: asked},
		{Kind: pim.EventConfirmed, Chat: pim.System, At: asked},
		{Kind: pim.EventReviewOpened, Chat: pim.System, At: asked},
	}, asked)
	said := ""
	for _, line := range c.Lines {
		said += words(line) + "\n"
	}
	for _, want := range []string{" given to PIM by Alice in Slack\n", " refused, what was asked for by Alice in Slack — too early", " membership read back\n", " review opened\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
}

// Chats trim what stands at the ends of what was typed, or said elsewhere.
func TestSentencesAreApartAlsoWhereAChatTrimsWhatWasSaidElsewhere(t *testing.T) {
	r := typed(pim.Failed)
	for why, want := range map[string]string{
		"PIM could not carry it out.": "failed. PIM could not carry it out. No access was given.",
		"":                            "failed. No access was given.",
	} {
		r.Why = why
		var said strings.Builder
		for _, span := range card.Heard(r, adminRole())[0].Card.Lines[0] {
			said.WriteString(span.Plain + strings.TrimSpace(span.Typed))
		}
		if !strings.HasSuffix(said.String(), want) {
			t.Errorf("said %q", said.String())
		}
	}
}
