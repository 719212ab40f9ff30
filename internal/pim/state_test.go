package pim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
)

// life is section 4 of the design, and what the notes beside it add: a session
// that proves unusable, a cancellation before PIM was asked, and PIM's own
// failure of what it had taken.
var life = map[pim.State][]pim.State{
	pim.WaitingForSignIn: {pim.Submitting, pim.Canceled},
	pim.Submitting:       {pim.Pending, pim.Scheduled, pim.Granting, pim.Refused, pim.Failed, pim.WaitingForSignIn, pim.Canceled},
	pim.Pending:          {pim.Granting, pim.Scheduled, pim.Denied, pim.Canceled, pim.TimedOut, pim.Failed},
	pim.Scheduled:        {pim.Granting, pim.Canceled, pim.Failed},
	pim.Granting:         {pim.Active, pim.Failed},
	pim.Active:           {pim.Ended},
}

func TestEveryTransition(t *testing.T) {
	for _, from := range pim.States() {
		for _, to := range pim.States() {
			allowed := slices.Contains(life[from], to)
			r := pim.Request{ID: "k7m2pq", State: from}
			err := r.Move(to)
			if (err == nil) != allowed {
				t.Errorf("%s to %s: %v", from, to, err)
			}
			if want := map[bool]pim.State{true: to, false: from}[allowed]; r.State != want {
				t.Errorf("%s to %s left %s", from, to, r.State)
			}
		}
		if open := len(life[from]) > 0; from.Open() != open {
			t.Errorf("%s open is %v", from, from.Open())
		}
		if from.Phrase() == "" || from.Phrase() == string(from) && from != pim.Active && !slices.Contains([]pim.State{pim.Denied, pim.Canceled, pim.Failed, pim.Ended}, from) {
			t.Errorf("%s has no phrase", from)
		}
	}
}

func TestALeavingMoveEndsTheClaim(t *testing.T) {
	r := pim.Request{State: pim.Pending, Claim: &pim.Claim{Until: monday.Add(2 * time.Minute)}}
	if r.Claimed(monday) == nil || r.Claimed(monday.Add(2*time.Minute)) != nil {
		t.Error("a claim holds until its lease ends and no longer")
	}
	if err := r.Move(pim.Denied); err != nil || r.Claim != nil {
		t.Errorf("denied with claim %v: %v", r.Claim, err)
	}
}

func TestPIMsWordsInAnyCase(t *testing.T) {
	for word, meaning := range map[string]pim.Word{
		"PendingApproval": pim.WordPending, "PendingAdminDecision": pim.WordPending, "PendingEvaluation": pim.WordPending,
		"Granted": pim.WordGranted, "ScheduleCreated": pim.WordGranted, "PendingScheduleCreation": pim.WordGranted, "AdminApproved": pim.WordGranted,
		"PendingProvisioning": pim.WordGranting, "PendingApprovalProvisioning": pim.WordGranting, "PendingExternalProvisioning": pim.WordGranting,
		"ProvisioningStarted": pim.WordGranting, "Accepted": pim.WordGranting, "Provisioned": pim.WordProvisioned,
		"Denied": pim.WordDenied, "AdminDenied": pim.WordDenied, "Canceled": pim.WordCanceled,
		"Failed": pim.WordFailed, "FailedAsResourceIsLocked": pim.WordFailed, "Invalid": pim.WordFailed,
		"Revoked": pim.WordRevoked, "PendingRevocation": pim.WordRevoked, "TimedOut": pim.WordTimedOut,
		"": pim.WordUnknown, "Approved": pim.WordUnknown, "unknownFutureValue": pim.WordUnknown, "Granted!": pim.WordUnknown,
	} {
		for _, spelled := range []string{word, strings.ToLower(word), strings.ToUpper(word), " " + word + " "} {
			if got := pim.ReadStatus(spelled); got != meaning {
				t.Errorf("%q means %s, want %s", spelled, got, meaning)
			}
		}
	}
}

func TestTheStatePIMsCopyPutsARequestIn(t *testing.T) {
	const day = 24 * time.Hour
	for _, row := range []struct {
		name, status string
		created      time.Time
		start        time.Time
		want         pim.State
	}{
		{"waits for approval", "PendingApproval", monday, time.Time{}, pim.Pending},
		{"waits for approval, creation unknown", "PendingApproval", time.Time{}, time.Time{}, pim.Pending},
		{"waits for approval for 24 h 10 min", "PendingApproval", monday.Add(-day - 10*time.Minute), time.Time{}, pim.Pending},
		{"waited for approval longer", "PendingApproval", monday.Add(-day - 10*time.Minute - time.Second), time.Time{}, pim.TimedOut},
		{"granted now", "Granted", monday, monday, pim.Granting},
		{"granted, start unknown", "Granted", monday, time.Time{}, pim.Granting},
		{"granted for in a minute", "ScheduleCreated", monday, monday.Add(time.Minute), pim.Granting},
		{"granted for later", "ScheduleCreated", monday, monday.Add(time.Minute + time.Second), pim.Scheduled},
		{"being provisioned", "PendingProvisioning", monday, monday.Add(time.Hour), pim.Granting},
		{"provisioned is not yet read back", "Provisioned", monday, monday, pim.Granting},
		{"denied", "denied", monday, time.Time{}, pim.Denied},
		{"canceled", "CANCELED", monday, time.Time{}, pim.Canceled},
		{"failed", "FailedAsResourceIsLocked", monday, time.Time{}, pim.Failed},
		{"timed out", "TimedOut", monday, time.Time{}, pim.TimedOut},
		{"revoked waits for the read-back", "Revoked", monday, time.Time{}, ""},
		{"an unknown word changes nothing", "Paused", monday, time.Time{}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := pim.Copy{Status: row.status, Created: row.created, Start: row.start}
			if got := pim.StateOf(c, monday); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
