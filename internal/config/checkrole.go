package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// PIM takes activations from five minutes on, and lets a request wait for 24 hours.
const (
	shortest = 5 * time.Minute
	longest  = 24 * time.Hour
)

func (l *loader) checkRoles() {
	if len(l.config.Roles) == 0 && !l.noRoles {
		l.fail("roles", "is empty. List at least one role that people can ask for.")
	}
	names, groups := map[string]int{}, map[string]int{}
	for i := range l.config.Roles {
		role, path := &l.config.Roles[i], fmt.Sprintf("roles[%d]", i)
		l.checkUnique(names, path, "name", role.Name, i)
		l.checkUnique(groups, path, "group", role.Group, i)
		l.checkDuration(path, role.Duration)
		l.checkRequire(path, role)
		l.checkRemind(path, role.Remind)
	}
}

func (l *loader) checkTenant() {
	names := map[string]int{}
	for i, g := range l.config.Tenant.Groups {
		folded, path := strings.ToLower(g.Name), fmt.Sprintf("tenant.groups[%d].name", i)
		if first, taken := names[folded]; taken && g.Name != "" {
			l.fail(path, "is the same as that of tenant.groups[%d]. Write each group once.", first)
			continue
		}
		names[folded] = i
	}
}

// checkUnique compares as Entra and people do, without regard to case.
func (l *loader) checkUnique(seen map[string]int, path, key, value string, index int) {
	folded := strings.ToLower(value)
	first, taken := seen[folded]
	if value == "" || !taken {
		seen[folded] = index
		return
	}
	l.fail(join(path, key), "is the same as that of roles[%d]. Each role needs its own.", first)
}

func (l *loader) checkDuration(path string, d RoleDuration) {
	usual, most := path+".duration.default", path+".duration.max"
	if l.failed[usual] || l.failed[most] {
		return
	}
	switch {
	case d.Default < shortest:
		l.fail(usual, "is shorter than 5m, the shortest that PIM takes. Write 5m or more.")
	case d.Max > longest:
		l.fail(most, "is longer than 24h, the longest that PIM takes. Write 24h or less.")
	case d.Default > d.Max:
		l.fail(usual, "is longer than duration.max. Make it shorter, or the maximum longer.")
	}
}

func (l *loader) checkRequire(path string, role *Role) {
	if role.Require.Ticket && role.Ticket == nil && !l.failed[path+".ticket"] {
		l.fail(path+".require.ticket", `needs the setting ticket: a pattern that tells a ticket, as in ^INC-\d+$.`)
	}
	if role.Require.MFA && role.Require.AuthenticationContext != "" {
		l.fail(path+".require.mfa", "does not go with require.authentication_context: PIM takes one of the two. Remove one.")
	}
	if role.Emergency && len(role.Reviewers) == 0 && !l.failed[path+".reviewers"] {
		l.fail(path+".emergency", "needs the setting reviewers: the groups of those who review each use afterwards, as in [Security Leads].")
	}
	if role.Emergency && role.Notify == (Place{}) {
		l.fail(path+".emergency", "needs the setting notify: a place that is told loudly of each use.")
	}
	if role.Require.Approval && role.Ask.Place == (Place{}) && !role.Ask.Direct {
		l.fail(path+".ask", "names no place where approvers are asked. Set slack, teams or direct: true, or set require.approval to false.")
	}
}

func (l *loader) checkRemind(path string, r Remind) {
	path += ".remind"
	for key, wait := range map[string]time.Duration{"after": r.After, "every": r.Every, "escalate.after": r.Escalate.After} {
		switch {
		case wait == 0:
		case wait < time.Minute:
			l.fail(join(path, key), "is shorter than a minute. Write 1m or more.")
		case wait >= longest:
			l.fail(join(path, key), "must be shorter than 24h: then PIM lets a request go.")
		}
	}
	if r.Every > 0 && r.After == 0 {
		l.fail(path+".every", "needs remind.after: the time to the first reminder.")
	}
	if nowhere := r.Escalate.Place == (Place{}); nowhere != (r.Escalate.After == 0) {
		l.fail(path+".escalate", "needs both a time (after) and a place (slack or teams).")
	}
}

// eachPlace visits every place in a chat.
func (l *loader) eachPlace(visit func(path string, place Place)) {
	visit("audit.anchor", l.config.Audit.Anchor)
	for i := range l.config.Roles {
		role, path := &l.config.Roles[i], fmt.Sprintf("roles[%d]", i)
		visit(path+".ask", role.Ask.Place)
		visit(path+".notify", role.Notify)
		visit(path+".remind.escalate", role.Remind.Escalate.Place)
	}
}

// checkPlace refuses a place in a chat that is not set up.
func (l *loader) checkPlace(path string, place Place) {
	chats := map[string]struct {
		place   string
		section any
	}{"slack": {place.Slack, l.config.Slack}, "teams": {place.Teams, l.config.Teams}}
	for chat, at := range chats {
		if at.place != "" && reflect.ValueOf(at.section).IsNil() && !l.unread[chat] {
			l.fail(join(path, chat), "names a place in a chat that is not set up. Add the section %s, or remove this.", chat)
		}
	}
}
