package workflow

import (
	"cmp"
	"slices"
	"strings"
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
	link, found, err := tx.Link(a)
	if err != nil {
		return id, err
	}
	if a.Chat == pim.Teams {
		if pim.TenantID(a.Workspace) != s.cfg.Tenant {
			return id, nil
		}
		// The validated activity names the Entra object id itself; a link adds
		// further accounts of the same person.
		id.actor.Person = pim.NewPrincipalID(a.User)
		found = found && link.Person == id.actor.Person
	}
	switch {
	case found && link.Tenant == s.cfg.Tenant:
		id.link = link
		id.actor.Person = link.Person
		id.actor.Name = cmp.Or(link.Name, id.actor.Name)
	case a.Chat != pim.Teams:
		return id, nil
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

// allIDs are all object ids that are known to be of one person with some: linked
// to one chat account, or ever seen together. An id that is "" is nobody's.
func allIDs(tx *store.Tx, some ...pim.PrincipalID) ([]pim.PrincipalID, error) {
	seen := map[pim.PrincipalID]bool{"": true}
	var all []pim.PrincipalID
	for more := slices.Clone(some); len(more) > 0; {
		id := more[len(more)-1]
		more = more[:len(more)-1]
		if seen[id] {
			continue
		}
		joined, err := tx.JoinedWith(id)
		if err != nil {
			return nil, err
		}
		for _, one := range joined { // those of one union are joined with the same ones
			// Chat accounts and browsers were joined with people, and are none.
			if seen[one] || strings.Contains(string(one), " ") {
				continue
			}
			seen[one] = true
			all = append(all, one)
			links, err := tx.LinksOf(one)
			if err != nil {
				return nil, err
			}
			for _, l := range links {
				more = append(append(more, l.Person), l.Also...)
			}
		}
	}
	return all, nil
}

// clocksApart is how far ahead of ours the clock of Microsoft's sign-in may be.
const clocksApart = 5 * time.Minute

// lacks says what a session lacks for a decision that was clicked at that time, or nil. Where each decision needs a
// sign-in of its own, that is one whose auth_time is not before the click, by whole seconds, which is what ID tokens
// carry; no more is allowed for clocks that differ. It has to have come here after the click, too, by our own clock, so
// that one of the same second, or of a clock that goes ahead, is not taken for it.
func (s *Service) lacks(session *store.Session, role pim.Role, clicked, now time.Time) error {
	switch {
	case session == nil:
		return pim.Errorf(pim.SignIn, "Sign in first: there is no sign-in to decide with.")
	case session.AuthTime.IsZero():
		return pim.Errorf(pim.Administered, "Microsoft did not say when you signed in, and a decision needs that. Tell an administrator to add the optional claim auth_time to the ID tokens of Elevate's registration.")
	case session.AuthTime.Sub(now) > clocksApart:
		return pim.Errorf(pim.Administered, "By Elevate's clock you signed in at a time that has not come yet, so this sign-in decides nothing. Tell an administrator to check the clock of Elevate's host.")
	}
	fresh := s.cfg.DecideWithin > 0 && now.Sub(session.AuthTime) <= s.cfg.DecideWithin
	if s.cfg.DecideWithin == 0 || role.DecideFresh {
		fresh = !session.AuthTime.Before(clicked.Truncate(time.Second)) && !session.SignedIn.Before(clicked)
	}
	switch {
	case !fresh:
		return pim.Errorf(pim.SignIn, "This sign-in was not new enough to decide with. Decide again in the chat and sign in with your password when you are asked to.")
	case role.DecideContext != "" && !slices.Contains(session.ACRS, role.DecideContext):
		return pim.Errorf(pim.Administered, "Microsoft did not confirm the authentication context %s in this sign-in, and a decision on %s needs it. "+
			"Tell an administrator: a Conditional Access policy has to ask for this context, and Elevate's registration needs the optional claim acrs in its ID tokens.", role.DecideContext, role.Title)
	}
	return nil
}

// owns reports whether a request is of an account that was proved to be
// somebody's. Having been seen together is enough to refuse, not to read.
func owns(r *pim.Request, who identity) bool {
	return slices.ContainsFunc(who.ids(), func(id pim.PrincipalID) bool {
		return id != "" && slices.Contains([]pim.PrincipalID{r.Requester.Person, r.Principal, r.Copy.Principal, r.Copy.CreatedBy}, id)
	})
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
