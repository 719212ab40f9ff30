//go:build !race

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/simteams"
)

// TestMicrosoftsClientShowsTheMainJob is the whole way that no fake of ours is on
// but Entra's: Microsoft's client in a browser, our bot with all its checks.
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
	carol.sees("isolating WS-042", "approval needed")
	carol.clicks("Approve", "isolating WS-042")
	carol.shoots("approve")
	carol.clicks("Approve", "isolating WS-042")
	carol.shoots("approve-sign-in")
	carol.signsIn("Sign in")
	alice.inPIM("Provisioned", "carol", "")
	alice.sees("isolating WS-042", "member since", "approved by Carol Chen")
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
	carol.sees("looking around on HOST-7", "approval needed")
	carol.shoots("channel")
	carol.clicks("Refresh", "looking around on HOST-7")
	carol.clicks("Deny…", "looking around on HOST-7")
	carol.fills("Reason", "not without a ticket", "looking around on HOST-7")
	carol.shoots("deny")
	carol.clicks("Deny", "looking around on HOST-7")
	alice.inPIM("Denied", "carol", "not without a ticket")
	carol.sees("looking around on HOST-7", "denied by Carol Chen")
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
	alice.box.Clock.Advance(time.Hour)
	alice.sees("isolating WS-042", "ended at its time")
	alice.shoots("ended")
	alice.opens(simteams.OnCall)
	alice.sees("MDE Administrator", "ended at its time")
	if members, err := alice.box.Entra.Portal().Members("mde"); err != nil || len(members) > 0 {
		alice.t.Errorf("members: %v, %v", members, err)
	}
}

const personalChat = "Personal Chat"

func (s somebody) opens(place string)            { s.t.Helper(); s.drive("open", place) }
func (s somebody) says(words string)             { s.t.Helper(); s.drive("say", words) }
func (s somebody) sees(words ...string) string   { s.t.Helper(); return s.drive("sees", words...) }
func (s somebody) hears(words string)            { s.t.Helper(); s.drive("hears", words) }
func (s somebody) clicks(label, on string)       { s.t.Helper(); s.drive("click", label, on) }
func (s somebody) fills(label, value, on string) { s.t.Helper(); s.drive("fill", label, value, on) }

// signsIn follows the link of a card. The pages behind it are not the
// Playground's, so the sandbox's browser goes through them.
func (s somebody) signsIn(on string) {
	s.t.Helper()
	s.world.says(s.name+" web open "+s.drive("follow", "Sign in", on), "You are signed in")
}

// inPIM waits until PIM says this of the person's newest request.
func (s somebody) inPIM(status, by, note string) {
	s.t.Helper()
	s.until(func() bool {
		all := s.box.Entra.Portal().Requests(s.name)
		if len(all) == 0 {
			return false
		}
		last := all[len(all)-1]
		return last.Status == status && last.DecidedBy == by && last.DecisionNote == note
	}, "PIM does not say "+status)
}

// shoots keeps a picture of what the person sees.
func (s somebody) shoots(name string) {
	s.t.Helper()
	dir := os.Getenv("ELEVATE_SCREENSHOTS")
	if dir == "" {
		dir = s.t.ArtifactDir()
	}
	s.drive("shot", filepath.Join(dir, s.name+"-"+name+".png"))
}
