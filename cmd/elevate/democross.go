package main

import (
	"time"

	"elevate/internal/pim"
)

// bothChats is how one request lives in Slack and in Teams, played after the
// main job.
var bothChats = []scene{
	{
		title: "The same people are in Teams. Bob, who is an approver, asks in Slack for a role himself.",
		actor: "bob", chat: pim.Slack, action: "elevate", does: "/elevate mde-liveresponse looking for a dropper on WS-043", quote: true,
		about: "bob", state: pim.Pending, inPIM: "PendingApproval", says: "which asks Carol Chen",
	},
	{
		title: "Bob is the same person in Teams, so he cannot approve it there either.",
		actor: "bob", chat: pim.Teams, action: "approve", does: "say approve " + requestWord, quote: true,
		about: "bob", state: pim.Pending, inPIM: "PendingApproval", refused: true, says: "You cannot decide your own request",
	},
	{
		title: "Carol sees Bob's request in the approvers' channel in Teams. The buttons are hers: each person there sees their own.",
		actor: "carol", chat: pim.Teams, action: "sees", does: "sees #approvals until dropper on WS-043", quote: true,
		about: "bob", state: pim.Pending, inPIM: "PendingApproval", says: "[Approve] [Deny…]",
	},
	{
		title: "She approves it there. PIM takes the decision from her, so she signs in. Nothing has to be linked: Teams itself says who she is.",
		actor: "carol", chat: pim.Teams, action: "approve", does: "click Approve on WS-043 in #approvals reason go ahead",
		about: "bob", state: pim.Pending, inPIM: "PendingApproval", says: "Sign in to approve Bob Berger's request",
	},
	{
		title: "After the sign-in her approval goes on by itself.",
		actor: "carol", chat: pim.Web, action: "sign-in", does: "sign-in",
		about: "bob", state: pim.Active, inPIM: "Provisioned", member: true, says: "on its way to PIM",
	},
	{
		title: "Bob reads in Slack who approved it, and why.",
		actor: "bob", chat: pim.Slack, action: "sees", does: "sees dm until MDE Live Response: active", quote: true,
		about: "bob", state: pim.Active, inPIM: "Provisioned", member: true, says: "go ahead",
	},
	{
		title: "The card in the approvers' channel in Slack has turned, too.",
		actor: "alice", chat: pim.Slack, action: "sees", does: "sees #approvals until MDE Live Response: active", quote: true,
		about: "bob", state: pim.Active, inPIM: "Provisioned", member: true, says: "approved by Carol Chen",
	},
	{
		title: "And so has the one in Teams, where Erin decides nothing and sees no button that would.",
		actor: "erin", chat: pim.Teams, action: "sees", does: "sees #approvals until MDE Live Response: active", quote: true,
		about: "bob", state: pim.Active, inPIM: "Provisioned", member: true, says: "approved by Carol Chen",
	},
	{
		title: "The other way round: Alice asks in Teams.",
		actor: "alice", chat: pim.Teams, action: "elevate", does: "say mde-admin isolating WS-050, INC-1250",
		about: "alice", state: pim.WaitingForSignIn, says: "Nothing was asked of PIM yet",
	},
	{
		title: "Her first sign-in serves Slack alone, so she signs in for Teams.",
		actor: "alice", chat: pim.Web, action: "sign-in", does: "sign-in",
		about: "alice", state: pim.Pending, inPIM: "PendingApproval", says: "on its way to PIM",
	},
	{
		title: "Bob sees in Slack what she asked for, and where.",
		actor: "bob", chat: pim.Slack, action: "sees", does: "sees #approvals until isolating WS-050", quote: true,
		about: "alice", state: pim.Pending, inPIM: "PendingApproval", says: "asked in Microsoft Teams",
	},
	{
		title: "He denies it there. His sign-in is more than an hour old, and a decision wants a newer one.",
		actor: "bob", chat: pim.Slack, action: "deny", does: "click Deny on WS-050 in #approvals reason ask its owner first",
		about: "alice", state: pim.Pending, inPIM: "PendingApproval", says: "Sign in to deny Alice Anders's request",
	},
	{
		title: "He signs in again, and the denial goes on.",
		actor: "bob", chat: pim.Web, action: "sign-in", does: "sign-in",
		about: "alice", state: pim.Denied, inPIM: "Denied", says: "on its way to PIM",
	},
	{
		title: "Alice reads in Teams who denied it and why.",
		actor: "alice", chat: pim.Teams, action: "sees", does: "sees dm until MDE Administrator: denied", quote: true,
		about: "alice", state: pim.Denied, inPIM: "Denied", says: "denied by Bob Berger",
	},
	{
		title: "An hour later Bob's access is gone. On-call reads it in Teams.",
		actor: "carol", chat: pim.Teams, action: "sees", does: "sees #on-call until MDE Live Response: ended", later: time.Hour, quote: true,
		about: "bob", state: pim.Ended, inPIM: "Provisioned", says: "MDE Live Response: ended at its time",
	},
	{
		title: "And Bob in Slack.",
		actor: "bob", chat: pim.Slack, action: "sees", does: "sees dm until MDE Live Response: ended", quote: true,
		about: "bob", state: pim.Ended, inPIM: "Provisioned", says: "MDE Live Response: ended at its time",
	},
}
