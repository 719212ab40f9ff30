package main

import (
	"fmt"
	"time"

	"elevate/internal/pim"
)

// What the played services are called.
const (
	team          = "T0LOADTEST"
	appID         = "A0LOADTEST"
	approvals     = "C0APPROVALS"
	tenantID      = "c0705000-0000-4000-8000-000000000001"
	signingSecret = "sandbox-signing-secret"
	roleCount     = 10
)

// roles are the roles that people ask for: one request for a role may be open, so whoever asks often asks for others.
func roles() pim.Roles {
	all := make(pim.Roles, roleCount)
	for i := range all {
		all[i] = pim.Role{
			Name: fmt.Sprintf("role-%02d", i), Title: fmt.Sprintf("Role %d", i), Gives: "what is measured",
			Group:   pim.GroupID(fmt.Sprintf("94095000-0000-4000-8000-%012d", i)),
			Default: time.Hour, Max: 8 * time.Hour, NeedsReason: true, NeedsApproval: true,
			Ticket: pim.MustTicketPattern(`^INC-\d+$`),
			Ask:    []pim.Conversation{{Chat: pim.Slack, Workspace: team, ID: approvals}},
		}
	}
	return all
}

// scattered spreads numbers, so that ids come in no order.
func scattered(i int) uint32 { return uint32(i) * 2654435761 } //nolint:gosec // it is to wrap

func user(i int) string { return fmt.Sprintf("U%08X", scattered(i)) }

func account(i int) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: user(i)}
}

func person(i int) pim.PrincipalID {
	return pim.PrincipalID(fmt.Sprintf("%08x-1111-4222-8333-444455556666", scattered(i)))
}

func name(i int) string { return fmt.Sprintf("Person %d", i) }
