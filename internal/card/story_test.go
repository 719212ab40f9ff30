package card_test

import (
	"maps"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

var asked = time.Date(2026, 3, 2, 14, 2, 10, 0, time.UTC)

func adminRole() pim.Role {
	return pim.Role{
		Name: "mde-admin", Title: "MDE Administrator", Gives: "Microsoft Defender for Endpoint administrator", Group: "g-admin",
		Default: time.Hour, Max: 8 * time.Hour, NeedsReason: true, NeedsApproval: true, Ticket: pim.MustTicketPattern(`^INC-\d+$`),
		Eligible: []string{"PIM MDE Administrator", "11111111-0000-4000-8000-000000000009"},
	}
}

func alice() pim.Actor {
	return pim.Actor{Person: "alice", Account: pim.ChatAccount{Chat: pim.Slack, Workspace: "T1", User: "UALICE"}, Name: "Alice"}
}

func bob() pim.Actor {
	return pim.Actor{Person: "bob", Account: pim.ChatAccount{Chat: pim.Teams, Workspace: "t", User: "bob"}, Name: "Bob"}
}

// typed is a request before PIM has it: what was typed is 30 minutes, what PIM
// will say is an hour, so that a drawing from the wrong source shows.
func typed(state pim.State) pim.Request {
	return pim.Request{
		ID: "k7m2pq", Role: "mde-admin", Group: "g-admin", Requester: alice(), Principal: "alice", Chat: pim.Slack, State: state, Created: asked,
		Asked: pim.Asked{Duration: 30 * time.Minute, Reason: "typed reason INC-1", Ticket: "INC-1"},
	}
}

func inPIM(state pim.State) pim.Request {
	r := typed(state)
	r.Submitted = asked.Add(2 * time.Second)
	r.Copy = pim.Copy{
		ID: "pim-1", Status: "PendingApproval", Action: pim.SelfActivate, Access: "member", Group: "g-admin", Principal: "alice", CreatedBy: "alice",
		Created: asked.Add(time.Second), Justification: pim.Mark("isolating WS-042 INC-1234", r.ID), Ticket: "INC-1234",
		Start: asked.Add(time.Second), Expiration: "afterDuration", Duration: time.Hour,
	}
	return r
}

func approved(state pim.State) pim.Request {
	r := inPIM(state)
	r.Decided = &pim.Decided{By: bob(), Approve: true, Reason: "fine by me", At: asked.Add(3 * time.Minute), Chat: pim.Teams}
	r.Granting = asked.Add(3 * time.Minute)
	return r
}

func member(state pim.State) pim.Request {
	r := approved(state)
	r.MemberSince, r.Ends = asked.Add(3*time.Minute+11*time.Second), asked.Add(63*time.Minute)
	return r
}

func over(ending pim.Ending, after time.Duration) pim.Request {
	r := member(pim.Ended)
	r.Ending, r.EndedAt = ending, r.MemberSince.Add(after)
	return r
}

// with returns the request after a change.
func with(r pim.Request, change func(*pim.Request)) pim.Request {
	change(&r)
	return r
}

func fromPortal(state pim.State) pim.Request {
	return with(inPIM(state), func(r *pim.Request) {
		r.Chat, r.Asked, r.Submitted, r.Requester.Account = pim.Portal, pim.Asked{}, time.Time{}, pim.ChatAccount{}
		r.Copy.Justification, r.Copy.Duration, r.Copy.Created = "asked elsewhere", 0, asked.Add(-time.Minute)
		r.Copy.Start, r.Copy.End, r.Copy.Expiration, r.Copy.Ticket = time.Time{}, asked.Add(8*time.Hour), "afterDateTime", ""
	})
}

// refused is a request that PIM did not take.
func refused(why pim.Refusal) pim.Request {
	return with(typed(pim.Refused), func(r *pim.Request) { r.Why, r.Refusal = "PIM refused: it said why.", &why })
}

// stories are the requests whose cards are kept.
func stories() map[string]pim.Request {
	why := func(state pim.State, why string) pim.Request {
		return with(inPIM(state), func(r *pim.Request) { r.Why = why })
	}
	claim := func(approve bool) func(*pim.Request) {
		return func(r *pim.Request) { r.Claim = &pim.Claim{By: bob(), Approve: approve, Until: asked.Add(time.Hour)} }
	}
	late := func(r *pim.Request) { r.Late = true }
	all := map[string]pim.Request{
		"waiting_for_sign_in": typed(pim.WaitingForSignIn),
		"submitting":          typed(pim.Submitting),
		"submitting_lost":     with(typed(pim.Submitting), func(r *pim.Request) { r.Sending.Lost = true }),
		"pending":             inPIM(pim.Pending),
		"pending_claim":       with(inPIM(pim.Pending), claim(true)),
		"pending_claim_deny":  with(inPIM(pim.Pending), claim(false)),
		"pending_decided": with(inPIM(pim.Pending), func(r *pim.Request) {
			r.Decided = &pim.Decided{By: pim.Actor{Name: "Bob Berger"}, Reason: "not on this machine", At: r.Submitted.Add(time.Minute), Chat: pim.Slack}
		}),
		"pending_portal": fromPortal(pim.Pending),
		"pending_forged": with(fromPortal(pim.Pending), func(r *pim.Request) {
			r.Copy.Justification = pim.Mark("isolating WS-042", "aaaaaa")
		}),
		"pending_odd": with(fromPortal(pim.Pending), func(r *pim.Request) {
			r.Copy.Access, r.Copy.CreatedBy, r.Copy.Expiration, r.Copy.End = "owner", "carol", "noExpiration", time.Time{}
			r.Copy.Justification = ""
		}),
		"pending_later": with(inPIM(pim.Pending), func(r *pim.Request) { r.Copy.Start = asked.Add(8 * time.Hour) }),
		"scheduled":     with(approved(pim.Scheduled), func(r *pim.Request) { r.Copy.Start = asked.Add(8 * time.Hour) }),
		"granting":      approved(pim.Granting),
		"granting_late": with(approved(pim.Granting), late),
		"active":        member(pim.Active),
		"active_portal": with(member(pim.Active), func(r *pim.Request) {
			r.Decided = &pim.Decided{Approve: true, At: asked.Add(3 * time.Minute), Chat: pim.Portal, By: pim.Actor{Name: "Bob"}}
		}),
		"pending_escalated":    with(inPIM(pim.Pending), func(r *pim.Request) { r.Escalated = r.Created.Add(time.Hour) }),
		"active_releasing":     with(member(pim.Active), func(r *pim.Request) { r.Leaving = pim.Released }),
		"active_release_asked": with(member(pim.Active), func(r *pim.Request) { r.Releasing = &pim.Releasing{At: r.MemberSince} }),
		"active_release_later": with(member(pim.Active), func(r *pim.Request) {
			r.Releasing = &pim.Releasing{At: r.MemberSince, Due: r.MemberSince.Add(5 * time.Minute)}
		}),
		"active_revoking":     with(member(pim.Active), func(r *pim.Request) { r.Leaving = pim.Revoked }),
		"refused":             why(pim.Refused, "PIM refused: the policy needs a ticket."),
		"refused_ticket":      refused(pim.Refusal{Kind: pim.Invalid, Rules: []string{"TicketingRule"}}),
		"refused_long":        refused(pim.Refusal{Kind: pim.Invalid, Rules: []string{"ExpirationRule"}, Most: 4 * time.Hour}),
		"refused_long_unread": refused(pim.Refusal{Kind: pim.Invalid, Rules: []string{"ExpirationRule"}}),
		"refused_role":        refused(pim.Refusal{Kind: pim.Forbidden, Rules: []string{"EligibilityRule"}, Roles: []string{"mde-analyst", "gone"}, Known: true}),
		"refused_held":        refused(pim.Refusal{Kind: pim.Conflict, Code: "RoleAssignmentExists", Other: "n4x8rt", Until: asked.Add(time.Hour)}),
		"refused_open":        refused(pim.Refusal{Kind: pim.Conflict, Code: "PendingRoleAssignmentRequest", Other: "n4x8rt"}),
		"refused_license":     refused(pim.Refusal{Kind: pim.Administered, Code: "AadPremiumLicenseRequired"}),
		"canceled_held":       with(refused(pim.Refusal{Kind: pim.Conflict, Code: "RoleAssignmentExists", Other: "n4x8rt"}), func(r *pim.Request) { r.State = pim.Canceled }),
		"canceled_late":       with(typed(pim.Canceled), func(r *pim.Request) { r.Why = "Nobody signed in for it within ten minutes." }),
		"denied": with(why(pim.Denied, "Denied."), func(r *pim.Request) {
			r.Decided = &pim.Decided{By: bob(), Reason: "too broad", At: asked.Add(3 * time.Minute), Chat: pim.Slack}
		}),
		"denied_portal": with(inPIM(pim.Denied), func(r *pim.Request) {
			r.Decided = &pim.Decided{At: asked.Add(3 * time.Minute), Chat: pim.Portal}
		}),
		"canceled":      why(pim.Canceled, "Canceled by the requester."),
		"timed_out":     why(pim.TimedOut, "Nobody decided within 24 hours."),
		"failed":        why(pim.Failed, "PIM could not add the membership."),
		"ended_expired": over(pim.Expired, time.Hour), "ended_released": over(pim.Released, 20*time.Minute),
		"ended_revoked": with(over(pim.Revoked, 20*time.Minute), func(r *pim.Request) { r.Why = "Revoked by Carol: left early." }),
		"ended_unknown": over(pim.Unknown, 20*time.Minute),
		"ended_stillby": with(over(pim.Expired, time.Hour), func(r *pim.Request) { r.StillBy = "a standing assignment" }),
	}
	maps.Copy(all, emergencies())
	return all
}

func viewers() []card.Viewer {
	return []card.Viewer{card.Approvers, card.Requester, card.OnCall}
}

func view(v card.Viewer) card.View {
	return card.View{
		Viewer: v, Now: asked.Add(5 * time.Minute), Chat: pim.Slack, ApproverNames: []string{"Bob", "Carol"},
		Seen:   card.Seen{Times30d: 3, Since: asked.AddDate(0, -2, 0)},
		Others: []card.Holder{{Name: "Dan", Until: asked.Add(time.Hour)}, {Name: "Eve"}},
		Other:  new(with(member(pim.Active), func(r *pim.Request) { r.ID = "n4x8rt" })), Roles: roles(),
		PortalURL: "https://entra.microsoft.com/pim",
	}
}
