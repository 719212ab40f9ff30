//go:build !race

package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
	"elevate/internal/sim/simteams"
)

// TestMicrosoftsClientShowsTheMainJob has Microsoft's client and a real browser on
// one side of our bot with all its checks, and on the other the sandbox's tenant.
func TestMicrosoftsClientShowsTheMainJob(t *testing.T) {
	p := startPlayground(t)
	alice, carol := p.meets("alice", simteams.OnCall), p.meets("carol", simteams.Approvals)
	for _, who := range []somebody{alice, carol} {
		who.sees("What you can type")
	}
	alice.opens(simteams.OnCall)
	p.noted(simteams.ChannelID(simteams.OnCall))
	carol.opens(simteams.Approvals)
	p.noted(simteams.ChannelID(simteams.Approvals))

	askAndApprove(alice, carol)
	fillInAndDeny(alice, carol)
	speakAmongOthers(alice)
	endAccess(alice)

	if refused := p.connector.refusals(); len(refused) > 0 {
		t.Errorf("not taken:\n%s", strings.Join(refused, "\n"))
	}
	p.checksTokens()
}

// checksTokens says once more what the Playground said last: as it said it, with
// no token, and with tokens that are not for it.
func (p *playground) checksTokens() {
	p.t.Helper()
	for _, row := range []struct {
		how  simteams.Forgery
		want int
	}{
		{simteams.Forgery{}, http.StatusOK},
		{simteams.Forgery{NoToken: true}, http.StatusUnauthorized},
		{simteams.Forgery{Tampered: true}, http.StatusUnauthorized},
		{simteams.Forgery{Audience: "another bot"}, http.StatusUnauthorized},
		{simteams.Forgery{Key: "foreign"}, http.StatusForbidden},
		{simteams.Forgery{Service: "http://127.0.0.1:9/"}, http.StatusForbidden},
	} {
		resp, err := p.connector.deliver(p.t.Context(), p.connector.lastSaid(), row.how)
		if err != nil {
			p.t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != row.want {
			p.t.Errorf("%+v: status %d, not %d", row.how, resp.StatusCode, row.want)
		}
	}
}

// askAndApprove is a command in the personal chat, and Approve in the approver's.
func askAndApprove(alice, carol somebody) {
	alice.opens(personalChat)
	alice.says("mde-admin isolating WS-042, INC-1234")
	alice.sees("waiting for a sign-in", "isolating WS-042")
	alice.shoots("asked")
	alice.signsIn("isolating WS-042")
	alice.inPIM("PendingApproval", "", "")
	alice.sees("isolating WS-042", "waiting for approval")
	alice.shoots("pending")

	carol.opens(personalChat)
	carol.sees("isolating WS-042", "approval needed", bobNotReached)
	carol.clicks("Approve", "isolating WS-042")
	carol.shoots("approve")
	carol.clicks("Approve", "isolating WS-042")
	carol.sees("Sign in to approve Alice Anders's request")
	carol.shoots("approve-sign-in")
	carol.signsIn("Sign in")
	alice.inPIM("Provisioned", "carol", "")
	alice.sees("isolating WS-042", "member since", "approved by Carol Chen")
	alice.isMember(true)
	alice.gone("isolating WS-042", "waiting for approval")
	alice.shoots("active")
	carol.sees("isolating WS-042", "member since")
	carol.shoots("approved")
	alice.opens(simteams.OnCall)
	alice.sees("MDE Administrator: active", "Alice Anders")
	alice.shoots("on-call")
}

// fillInAndDeny is the form, and Deny with a reason in the approvers' channel.
func fillInAndDeny(alice, carol somebody) {
	alice.opens(personalChat)
	alice.says("/elevate")
	alice.sees("Role", "Reason", "How long")
	alice.shoots("form")
	alice.fills("Role", "MDE Live Response", "How long")
	alice.fills("Reason", "looking around on HOST-7", "How long")
	alice.shoots("form-filled")
	alice.clicks("Ask", "How long")
	alice.inPIM("PendingApproval", "", "")
	alice.sees("looking around on HOST-7", "waiting for approval")
	alice.shoots("form-sent")

	carol.opens(simteams.Approvals)
	carol.sees("looking around on HOST-7", "approval needed", "asked of PIM") // Bob is reached by now: the channel's roster names him
	carol.shoots("channel")
	carol.clicks("Refresh", "looking around on HOST-7")
	carol.clicks("Deny…", "looking around on HOST-7")
	carol.fills("Reason", "not without a ticket", "looking around on HOST-7")
	carol.shoots("deny")
	carol.clicks("Deny", "looking around on HOST-7")
	alice.inPIM("Denied", "carol", "not without a ticket")
	carol.sees("looking around on HOST-7", "denied by Carol Chen")
	carol.gone("looking around on HOST-7", "approval needed")
	carol.shoots("denied")
	alice.sees("looking around on HOST-7", "denied by Carol Chen", "not without a ticket")
	alice.shoots("denied")
}

// speakAmongOthers mentions the bot in a group chat and in a channel. It answers
// where only she reads it, and says so.
func speakAmongOthers(alice somebody) {
	for _, place := range []string{simteams.Incident, simteams.OnCall} {
		alice.opens(place)
		alice.says("@Elevate status")
		alice.hears("I answered in our own chat.")
		alice.shoots("mention-" + place)
	}
	alice.opens(personalChat)
	alice.sees("Your requests")
	alice.shoots("status")
}

// endAccess lets the time of the access pass.
func endAccess(alice somebody) {
	alice.box.Clock.SetRate(demoRate)
	alice.box.Clock.Advance(time.Hour)
	alice.sees("isolating WS-042", "ended at its time")
	alice.shoots("ended")
	alice.opens(simteams.OnCall)
	alice.sees("MDE Administrator", "ended at its time")
	alice.isMember(false)
}

const (
	personalChat = "Personal Chat"
	// bobNotReached is the last thing that changes on a card before a decision. A
	// card that changes folds up what a button unfolded.
	bobNotReached = "No direct message was sent to Bob Berger"
)

func (s somebody) opens(place string)            { s.t.Helper(); s.drive("open", place) }
func (s somebody) says(words string)             { s.t.Helper(); s.drive("say", words) }
func (s somebody) sees(words ...string) string   { s.t.Helper(); return s.drive("sees", words...) }
func (s somebody) gone(words ...string)          { s.t.Helper(); s.drive("gone", words...) }
func (s somebody) hears(words string)            { s.t.Helper(); s.drive("hears", words) }
func (s somebody) clicks(label, on string)       { s.t.Helper(); s.drive("click", label, on) }
func (s somebody) fills(label, value, on string) { s.t.Helper(); s.drive("fill", label, value, on) }

// signsIn follows the link of a card through all pages of a sign-in.
func (s somebody) signsIn(on string) {
	s.t.Helper()
	says := s.drive("signIn", s.person().UPN, s.picture("signed-in"), on)
	if !strings.Contains(says, "is on its way to PIM") {
		s.t.Errorf("after the sign-in of %s the page says:\n%s", s.name, says)
	}
}

// inPIM waits until PIM says this of the person's newest request.
func (s somebody) inPIM(status, by, note string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), sceneWithin)
	defer cancel()
	var last simentra.RequestView
	err := poll(ctx, func() (bool, error) {
		if all := s.box.Entra.Portal().Requests(s.name); len(all) > 0 {
			last = all[len(all)-1]
		}
		return last.Status == status && last.DecidedBy == by && strings.Contains(last.DecisionNote, note), nil
	})
	if err != nil {
		s.t.Fatalf("PIM does not say %s by %q (%s): %+v", status, by, note, last)
	}
}

// isMember holds what the directory says against what the cards say.
func (s somebody) isMember(want bool) {
	s.t.Helper()
	members, err := s.box.Entra.Portal().Members(cast.RoleAdministrator)
	if err != nil || slices.Contains(members, s.name) != want {
		s.t.Errorf("being a member is not %t: %v, %v", want, members, err)
	}
}

// shoots keeps a picture of what the person sees.
func (s somebody) shoots(name string) { s.t.Helper(); s.drive("shot", s.picture(name)) }
