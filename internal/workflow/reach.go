package workflow

import (
	"cmp"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// placeRefused has the cards elsewhere say that one could not be put into its place,
// where approvers were to see it or on-call to hear of it, or say so no more.
func (s *Service) placeRefused(refused store.Effect) {
	err := s.update(func(tx *store.Tx) error {
		r, err := tx.Request(refused.Request)
		if err != nil || r.State != pim.Pending && !wanted(&r, card.OnCall) {
			return err
		}
		spots, err := s.spots(tx, &r)
		if err != nil {
			return err
		}
		return s.putCards(tx, &r, slices.DeleteFunc(spots, func(at spot) bool {
			return at.to.String() == refused.To.String() || at.viewer == card.OnCall
		}))
	})
	if err != nil {
		s.cfg.Logger.Warn("cards_not_turned", "request", refused.Request, "error", err)
	}
}

// viewClosed counts, for a card, the channels in which approvers are asked and those
// of them that the chats refuse at the moment, and says whether on-call cannot be
// told. A card that stands in a place is no refused one.
func (s *Service) viewClosed(r *pim.Request, here pim.Conversation, v *card.View) {
	role, _ := s.cfg.Roles.Named(r.Role)
	refuses := func(to pim.Conversation, v card.Viewer) bool {
		return to.String() != here.String() && s.queue.refuses(cardKey(r.ID, to, v))
	}
	if r.State == pim.Pending {
		for _, to := range role.Ask {
			if s.cfg.Messengers[to.Chat] == nil {
				continue
			}
			v.Places++
			if refuses(to, card.Approvers) {
				v.Closed++
			}
		}
	}
	v.Unheard = wanted(r, card.OnCall) && slices.ContainsFunc(role.Notify, func(to pim.Conversation) bool {
		return refuses(to, card.OnCall) || summed(r, to) && s.queue.refuses(boardKey(boardMany, to))
	})
}

// approversDirect are the direct conversations with the approvers whose chat
// accounts are known, without the requester's.
func (s *Service) approversDirect(tx *store.Tx, r *pim.Request, role pim.Role) ([]pim.Conversation, error) {
	known, ok := s.policies.get(r.Group, tx.Now(), policyUse)
	if !role.Direct || !ok {
		return nil, nil
	}
	var direct []pim.Conversation
	for id := range known.approvers {
		same, err := tx.SamePerson(id, r.Principal)
		if err != nil {
			return nil, err
		}
		if same || id == r.Requester.Person {
			continue
		}
		accounts, err := s.accountsOf(tx, id)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			direct = append(direct, pim.DirectTo(a))
		}
	}
	return direct, nil
}

// accountsOf are the chat accounts in which a person can be written to: linked
// ones, and where the chat itself names the person, those it knows.
func (s *Service) accountsOf(tx *store.Tx, id pim.PrincipalID) ([]pim.ChatAccount, error) {
	links, err := tx.LinksOf(id)
	if err != nil {
		return nil, err
	}
	var accounts []pim.ChatAccount
	people := []pim.PrincipalID{id}
	for _, l := range links {
		if l.Account.Chat == pim.Teams {
			people = append(people, l.Person) // a second account's: whether it is reached, the chat knows
			continue
		}
		accounts = append(accounts, l.Account)
	}
	if s.cfg.Reaches == nil {
		return accounts, nil
	}
	for _, p := range people {
		known, err := s.cfg.Reaches(tx, p)
		if err != nil {
			return nil, err
		}
		for _, a := range known {
			if !slices.Contains(accounts, a) {
				accounts = append(accounts, a)
			}
		}
	}
	return accounts, nil
}

// unreached are the approvers who cannot be written to in any chat, where the
// role has them asked directly.
func (s *Service) unreached(tx *store.Tx, r *pim.Request) ([]string, error) {
	role, _ := s.cfg.Roles.Named(r.Role)
	known, ok := s.policies.get(r.Group, tx.Now(), policyUse)
	if !role.Direct || !ok || r.State != pim.Pending {
		return nil, nil
	}
	var names []string
	for id, p := range known.approvers {
		accounts, err := s.accountsOf(tx, id)
		if err != nil {
			return nil, err
		}
		if len(accounts) == 0 && id != r.Principal {
			names = append(names, cmp.Or(p.Name, "an approver")) // whom PIM names itself, it names by id
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// stranger reports whether a direct conversation is with a chat account that may
// not hear of the request (any more): it was unlinked, linked to somebody else,
// or lost the second account that it heard by. What such an account asked for
// itself, before anybody signed in for it, is its own.
func (s *Service) stranger(tx *store.Tx, r *pim.Request, at pim.Conversation) (bool, error) {
	account := pim.ChatAccount{Chat: at.Chat, Workspace: at.Workspace, User: at.User}
	if at.User == "" || r.Requester.Account == account && r.Requester.Person == "" {
		return false, nil
	}
	who, err := s.identify(tx, account, "")
	if err != nil || who.actor.Person == "" || owns(r, who) {
		return who.actor.Person == "", err
	}
	// Where nobody knows who the approvers are, whoever has a card keeps it.
	if s.policies.approver(r.Group, tx.Now(), who.ids()...) != pim.No {
		return false, nil
	}
	_, hears, err := s.viewerFor(tx, r, who)
	return !hears, err
}
