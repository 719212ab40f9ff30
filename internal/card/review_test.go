package card_test

import (
	"fmt"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// emergencyRole is used at once and reviewed afterwards.
func emergencyRole() pim.Role {
	role := adminRole()
	role.NeedsApproval, role.Emergency, role.Reviewers = false, true, []pim.GroupID{"g-leads"}
	return role
}

func carol() pim.Actor {
	return pim.Actor{Person: "carol", Account: pim.ChatAccount{Chat: pim.Teams, Workspace: "t", User: "carol"}, Name: "Carol"}
}

// emergencies are the stories of roles for emergencies.
func emergencies() map[string]pim.Request {
	used := func(r pim.Request, names ...string) pim.Request {
		r.Decided = nil
		r.Review = &pim.Review{Opened: r.MemberSince, NotAsked: pim.NamesOf(names), Reviewers: &pim.Names{Some: []string{"Carol", "Dave"}}}
		return r
	}
	var many []string
	for i := range 42 {
		many = append(many, fmt.Sprintf("Person %02d", i+1))
	}
	return map[string]pim.Request{
		"emergency":          used(member(pim.Active), "Bob", "Carol", "Erin"),
		"emergency_nobody":   used(member(pim.Active)),
		"emergency_many":     used(member(pim.Active), many...),
		"emergency_unread":   with(used(member(pim.Active)), func(r *pim.Request) { r.Review.NotAsked, r.Review.Reviewers = nil, nil }),
		"emergency_ended":    used(over(pim.Expired, time.Hour), "Bob"),
		"emergency_approved": with(used(member(pim.Active), "Carol"), func(r *pim.Request) { r.Decided = member(pim.Active).Decided }),
		"emergency_reviewed": with(used(over(pim.Expired, time.Hour), "Bob"), func(r *pim.Request) {
			r.Review.By, r.Review.Note, r.Review.Closed = carol(), "checked with *Alice*: WS-042 was on fire", r.EndedAt.Add(time.Hour)
		}),
	}
}

// emergencyForm is the form for an emergency role.
func emergencyForm() card.Form {
	return card.AskForm(card.Prefill{Roles: pim.Roles{emergencyRole()}, Role: "mde-admin"})
}
