package workflow

import (
	"slices"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// identity is what the state file proves about the sender of a step.
type identity struct {
	actor pim.Actor
	link  store.Link
	// session is nil when there is none that can be used.
	session *store.Session
}

// identify finds out who a chat account is. An account without a link is
// nobody: its actor has no person.
func (s *Service) identify(tx *store.Tx, a pim.ChatAccount, name string) (identity, error) {
	id := identity{actor: pim.Actor{Account: a, Name: name}}
	if a.Chat == pim.Teams {
		if pim.TenantID(a.Workspace) != s.cfg.Tenant {
			return id, nil
		}
		// The validated activity names the Entra object id itself.
		id.actor.Person = pim.NewPrincipalID(a.User)
	} else {
		link, found, err := tx.Link(a)
		if err != nil {
			return id, err
		}
		if !found || link.Tenant != s.cfg.Tenant {
			return id, nil
		}
		id.link = link
		id.actor.Person = link.Person
		if link.Name != "" {
			id.actor.Name = link.Name
		}
	}
	return id, s.findSession(tx, &id)
}

func (s *Service) findSession(tx *store.Tx, id *identity) error {
	session, found, err := tx.Session(id.actor.Account)
	if err != nil {
		return err
	}
	if !found || session.Tenant != s.cfg.Tenant || !tx.Now().Before(session.Expires) || !slices.Contains(id.ids(), session.Person) {
		return nil
	}
	id.session = &session
	id.actor.Person = session.Person
	if session.Name != "" {
		id.actor.Name = session.Name // the account that acts, not the one that was linked first
	}
	return nil
}

// ids returns all object ids that were proved for the account.
func (id identity) ids() []pim.PrincipalID {
	ids := []pim.PrincipalID{id.actor.Person}
	if id.link.Person != "" {
		ids = append(append(ids, id.link.Person), id.link.Also...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// mayDecideWith reports whether the session is good enough for a decision that
// was clicked at that time.
func (s *Service) mayDecideWith(session *store.Session, role pim.Role, clicked, now time.Time) bool {
	if session == nil {
		return false
	}
	fresh := now.Sub(session.AuthTime) <= s.cfg.DecideWithin && s.cfg.DecideWithin > 0
	if s.cfg.DecideWithin == 0 || role.DecideFresh {
		// ID tokens carry whole seconds.
		fresh = !session.AuthTime.Before(clicked.Truncate(time.Second))
	}
	return fresh && !session.AuthTime.IsZero() &&
		(role.DecideContext == "" || slices.Contains(session.ACRS, role.DecideContext))
}

// samePerson reports whether somebody is the requester of a request, as far as
// the state file knows.
func samePerson(tx *store.Tx, r *pim.Request, who identity) (bool, error) {
	for _, mine := range who.ids() {
		for _, theirs := range []pim.PrincipalID{r.Requester.Person, r.Principal, r.Copy.Principal, r.Copy.CreatedBy} {
			if mine == "" || theirs == "" {
				continue
			}
			if same, err := tx.SamePerson(mine, theirs); err != nil || same {
				return same, err
			}
		}
	}
	return false, nil
}
