package card_test

import (
	"slices"
	"testing"

	"elevate/internal/card"
	"elevate/internal/pim"
)

func TestProgressNamesEachStepThatARequestHasTaken(t *testing.T) {
	for story, want := range map[string][]string{
		"pending":         nil,
		"granting_late":   {"approved by", "late"},
		"active":          {"approved by", "member"},
		"active_portal":   {"approved by", "member"},
		"active_revoking": {"approved by", "member"},
		"ended_released":  {"approved by", "member", "ended"},
		"ended_expired":   {"approved by", "member", "ended"},
		"ended_stillby":   {"approved by", "member", "remains"},
	} {
		r, known := stories()[story]
		if !known {
			t.Fatalf("there is no story %s", story)
		}
		var got []string
		for _, told := range card.Progress(r, adminRole()) {
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
