package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
	"elevate/internal/sim"
	"elevate/internal/sim/simslack"
)

// scene is one step of the demo: what somebody does, and what must be true
// afterwards.
type scene struct {
	title  string
	actor  string
	chat   pim.Chat
	action string
	does   string // in the words of `elevate act`, with REQUEST for the request's id
	later  time.Duration
	about  string // whose request it is
	quote  bool   // show only what the words below stand in

	// What must be true afterwards.
	state   pim.State // of the request, in the bot's state file
	inPIM   string    // of the request, in the sandbox's PIM
	member  bool      // whether the requester is a member of the group there
	refused bool
	says    string // stands in what the actor sees
}

// demoScript is all that the demo plays. It ends as it began, with nobody in the
// groups.
var demoScript = slices.Concat(mainJob, bothChats)

// mainJob is the life of a request in Slack.
var mainJob = []scene{
	{
		title: "Alice asks for a role. Elevate does not know her yet, so she has to sign in first.",
		actor: "alice", chat: pim.Slack, action: "elevate", does: "/elevate mde-admin isolating WS-042, INC-1234",
		about: "alice", state: pim.WaitingForSignIn, says: "Nothing was asked of PIM yet",
	},
	{
		title: "She proves both accounts in one browser. Her request goes on by itself.",
		actor: "alice", chat: pim.Web, action: "sign-in", does: "sign-in",
		about: "alice", state: pim.Pending, inPIM: "PendingApproval", says: "is linked to the Microsoft account of Alice Anders",
	},
	{
		title: "The approvers are asked in their channel.",
		actor: "bob", chat: pim.Slack, action: "sees", does: "sees #approvals until isolating WS-042", quote: true,
		about: "alice", state: pim.Pending, inPIM: "PendingApproval", says: "approval needed",
	},
	{
		title: "Alice is in that channel, too, and tries to approve her own request.",
		actor: "alice", chat: pim.Slack, action: "approve", does: "click Approve on WS-042 in #approvals",
		about: "alice", state: pim.Pending, inPIM: "PendingApproval", refused: true, says: "You cannot decide your own request",
	},
	{
		title: "Dan asks for another role.",
		actor: "dan", chat: pim.Slack, action: "elevate", does: "/elevate mde-liveresponse for 30m looking around on HOST-7",
		about: "dan", state: pim.WaitingForSignIn, says: "looking around on HOST-7",
	},
	{
		title: "He signs in.",
		actor: "dan", chat: pim.Web, action: "sign-in", does: "sign-in",
		about: "dan", state: pim.Pending, inPIM: "PendingApproval", says: "on its way to PIM",
	},
	{
		title: "Bob sees Dan's request in the approvers' channel.",
		actor: "bob", chat: pim.Slack, action: "sees", does: "sees #approvals until HOST-7", quote: true,
		about: "dan", state: pim.Pending, inPIM: "PendingApproval", says: "looking around on HOST-7",
	},
	{
		title: "Bob denies it with a reason. He has to sign in for that: PIM takes the decision from him, not from the bot.",
		actor: "bob", chat: pim.Slack, action: "deny", does: "click Deny on HOST-7 in #approvals reason not without a ticket",
		about: "dan", state: pim.Pending, inPIM: "PendingApproval", says: "Sign in to deny Dan Dietrich's request",
	},
	{
		title: "After the sign-in the denial goes on by itself.",
		actor: "bob", chat: pim.Web, action: "sign-in", does: "sign-in",
		about: "dan", state: pim.Denied, inPIM: "Denied", says: "on its way to PIM",
	},
	{
		title: "Dan sees who denied it and why.",
		actor: "dan", chat: pim.Slack, action: "sees", does: "sees dm until not without a ticket", quote: true,
		about: "dan", state: pim.Denied, inPIM: "Denied", says: "not without a ticket",
	},
	{
		title: "Bob approves Alice's request. His sign-in is new enough, so one click does it; Elevate waits until the membership is read back.",
		actor: "bob", chat: pim.Slack, action: "approve", does: "click Approve on WS-042 in #approvals",
		about: "alice", state: pim.Active, inPIM: "Provisioned", member: true, says: "on its way to PIM",
	},
	{
		title: "Alice sees that she is a member, since when and until when.",
		actor: "alice", chat: pim.Slack, action: "sees", does: "sees dm until member since", quote: true,
		about: "alice", state: pim.Active, inPIM: "Provisioned", member: true, says: "approved by Bob Berger",
	},
	{
		title: "On-call is told, too.",
		actor: "carol", chat: pim.Slack, action: "sees", does: "sees #on-call until member since", quote: true,
		about: "alice", state: pim.Active, inPIM: "Provisioned", member: true, says: "MDE Administrator: active",
	},
	{
		title: "An hour later PIM ends the access. Elevate reads twice that it is gone before it says so.",
		actor: "alice", chat: pim.Slack, action: "sees", does: "sees dm until removed (read back)", later: time.Hour, quote: true,
		about: "alice", state: pim.Ended, inPIM: "Provisioned", says: "ended at its time",
	},
	{
		title: "The card in the approvers' channel has turned with the request.",
		actor: "carol", chat: pim.Slack, action: "sees", does: "sees #approvals until removed (read back)", quote: true,
		about: "alice", state: pim.Ended, inPIM: "Provisioned", says: "ended at its time",
	},
}

// requestWord stands in what somebody does for the id that they read on a card.
const requestWord = "REQUEST"

// sceneWithin bounds the wait for a request's state.
const sceneWithin = 20 * time.Second

// scenePlayed is what came of a scene.
type scenePlayed struct {
	scene

	request pim.Request
	refused bool
	text    string
	took    time.Duration
}

// play plays a script to its end, or to the first scene that is not as it must
// be.
func (s *stage) play(ctx context.Context, script []scene, to demoPrinter) error {
	for i, sc := range script {
		played, err := s.playScene(ctx, sc)
		if err != nil {
			return fmt.Errorf("step %d (%s: %s): %w", i+1, sc.actor, sc.does, err)
		}
		if err := to.print(i+1, played); err != nil {
			return err
		}
		if err := s.check(played); err != nil {
			return fmt.Errorf("step %d (%s: %s) is not as it must be: %w", i+1, sc.actor, sc.does, err)
		}
	}
	return nil
}

func (s *stage) playScene(ctx context.Context, sc scene) (scenePlayed, error) {
	s.box.Clock.Advance(sc.later)
	began := time.Now()
	if strings.Contains(sc.does, requestWord) {
		r, err := s.newest(sc.about)
		if err != nil {
			return scenePlayed{}, err
		}
		sc.does = strings.ReplaceAll(sc.does, requestWord, string(r.ID))
	}
	result, err := s.box.Act(ctx, sc.actor, string(sc.chat), strings.Fields(sc.does))
	if err != nil {
		return scenePlayed{}, err
	}
	played := scenePlayed{scene: sc, text: result.Text, refused: sc.action != "sees" && refusedBy(result)}
	if sc.quote {
		played.text = quoted(result.Shown, sc.says)
	}
	played.request, err = s.await(ctx, sc.about, sc.state)
	played.took = time.Since(began)
	return played, err
}

// refusedBy says whether the person was refused: by a chat or PIM themselves, by a
// card that only they see, or by an answer in Teams, which is about no request.
func refusedBy(r sim.Result) bool {
	return r.Failed != "" || slices.ContainsFunc(r.Shown, func(one simslack.Shown) bool {
		return strings.Contains(one.Text, "⛔") && (one.Ephemeral || !strings.Contains(one.Text, "Request "))
	})
}

// quoted is the last thing shown that holds the words, or everything.
func quoted(shown []simslack.Shown, words string) string {
	var all []string
	for _, one := range slices.Backward(shown) {
		if strings.Contains(one.Text, words) {
			return "— " + one.Where + "\n" + one.Text
		}
		all = append(all, one.Text)
	}
	return strings.Join(all, "\n\n")
}
