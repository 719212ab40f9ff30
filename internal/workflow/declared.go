package workflow

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// declaredPeople are those whom the settings name for an emergency role, by the
// directory's names: for display alone, and kept so that they are known at once after
// a start.
type declaredPeople struct {
	Approvers map[pim.PrincipalID]string `json:"approvers"`
	Reviewers map[pim.PrincipalID]string `json:"reviewers"`
	// Deciders are those whom PIM's rules name one by one, and by no name.
	Deciders map[pim.PrincipalID]string `json:"deciders"`
}

func (d declaredPeople) same(as declaredPeople) bool {
	return maps.Equal(d.Approvers, as.Approvers) && maps.Equal(d.Reviewers, as.Reviewers) && maps.Equal(d.Deciders, as.Deciders) &&
		(d.Approvers == nil) == (as.Approvers == nil) && (d.Reviewers == nil) == (as.Reviewers == nil)
}

func declaredKept(role pim.Role) string { return "declared|" + role.Name + "|" + string(role.Group) }

// askDeclared asks who the people are whom the settings name for an emergency role: in
// its turn, while they are not known, and while a review waits for them or does not
// name them yet.
func (s *Service) askDeclared(ctx context.Context, q *pim.Question, role pim.Role, whole bool, reviews map[string]bool) {
	if !role.Emergency {
		return
	}
	unnamed, waits := reviews[role.Name]
	unknown := slices.ContainsFunc(role.Reviewers, func(g pim.GroupID) bool { return s.reviewers.certainly(g, "") == pim.NotKnown })
	if whole || waits || unknown {
		q.Members = append(q.Members, role.Reviewers...)
	}
	if whole || unnamed {
		q.Profiles = slices.Concat(q.Profiles, s.peoplesOf(ctx, role).People, s.deciders(role.Group))
	}
	if unnamed && !whole { // else they are watched in this turn anyway
		q.Members = append(q.Members, s.peoplesOf(ctx, role).Approvers...)
	}
}

// deciders are those whom PIM's rules name one by one, as last read.
func (s *Service) deciders(g pim.GroupID) []pim.PrincipalID {
	known, _ := s.policies.get(g, s.cfg.Now(), ever)
	return known.policy.ApproverPeople
}

// learnDeclared keeps what a reading says of them, and names them in reviews that were
// opened before anybody knew. Only the sweep's own lane calls it.
func (s *Service) learnDeclared(a pim.Answer) error {
	for _, role := range s.cfg.Roles {
		for _, g := range role.Reviewers {
			if people, read := a.Members[g]; read {
				s.reviewers.set(g, people)
			}
		}
	}
	emergencies := slices.DeleteFunc(slices.Clone(s.cfg.Roles), func(role pim.Role) bool { return !role.Emergency })
	if len(emergencies) == 0 {
		return nil
	}
	return s.update(func(tx *store.Tx) error {
		for _, role := range emergencies {
			if err := s.keepDeclared(tx, role, a); err != nil {
				return err
			}
		}
		return s.nameInReviews(tx)
	})
}

// keepDeclared keeps the people of a role whose every group was read.
func (s *Service) keepDeclared(tx *store.Tx, role pim.Role, a pim.Answer) error {
	var was declaredPeople
	if _, err := tx.Meta(declaredKept(role), &was); err != nil {
		return err
	}
	is := was
	if some, read := namesIn(role.Reviewers, nil, a); read {
		is.Reviewers = some
	}
	if known, found := s.peoples[role.Name]; found {
		if some, read := namesIn(known.Approvers, known.People, a); read {
			for _, name := range known.Names {
				some[pim.PrincipalID(name)] = name
			}
			is.Approvers = some
		}
	}
	if some, read := namesIn(nil, s.deciders(role.Group), a); read {
		is.Deciders = some
	}
	if was.same(is) {
		return nil
	}
	return tx.PutMeta(declaredKept(role), is)
}

// namesIn are the people in some groups, and some people, by name; read is false where
// not all of them were.
func namesIn(groups []pim.GroupID, people []pim.PrincipalID, a pim.Answer) (some map[pim.PrincipalID]string, read bool) {
	some = map[pim.PrincipalID]string{}
	for _, g := range groups {
		in, read := a.Members[g]
		if !read {
			return nil, false
		}
		for _, p := range in {
			if p.Enabled && len(some) < mostPeople {
				some[p.ID] = cmp.Or(p.Name, string(p.ID))
			}
		}
	}
	for _, id := range people {
		p, read := a.Profiles[id]
		if !read {
			return nil, false
		}
		some[id] = cmp.Or(p.Name, string(id))
	}
	return some, true
}

// nameForReview names in a review who was not asked and who has to look, as far as
// that is known. Where PIM wanted an approval, those not asked are its approvers who
// did not decide.
func (s *Service) nameForReview(tx *store.Tx, r *pim.Request, role pim.Role) error {
	var declared declaredPeople
	if _, err := tx.Meta(declaredKept(role), &declared); err != nil {
		return err
	}
	approvers := declared.Approvers
	if known, ok := s.policies.get(r.Group, tx.Now(), policyUse); ok && known.policy.Approval {
		approvers = known.byName(declared)
	}
	not := []pim.PrincipalID{r.Principal, r.Requester.Person}
	if r.Review.Reviewers == nil && declared.Reviewers != nil {
		r.Review.Reviewers = pim.NamesOf(namesBut(declared.Reviewers, not))
	}
	if r.Decided != nil {
		not = append(not, r.Decided.By.Person)
	}
	if r.Review.NotAsked == nil && approvers != nil {
		r.Review.NotAsked = pim.NamesOf(namesBut(approvers, not))
	}
	return nil
}

// byName are the approvers by the directory's names; nil while not all of them are known.
func (a approval) byName(declared declaredPeople) map[pim.PrincipalID]string {
	named := map[pim.PrincipalID]string{}
	for id, p := range a.approvers {
		if named[id] = cmp.Or(p.Name, declared.Deciders[id], declared.Approvers[id]); named[id] == "" {
			return nil
		}
	}
	return named
}

// namesBut are the names of people without some of them, in order.
func namesBut(people map[pim.PrincipalID]string, not []pim.PrincipalID) []string {
	var names []string
	for id, name := range people {
		if !slices.Contains(not, id) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// nameInReviews names people in the open reviews that were opened before they were read.
func (s *Service) nameInReviews(tx *store.Tx) error {
	open, err := OpenReviews(tx)
	if err != nil {
		return err
	}
	for _, r := range open {
		role, ok := s.cfg.Roles.Named(r.Role)
		if !ok || role.Group != r.Group || r.Review.NotAsked != nil && r.Review.Reviewers != nil {
			continue
		}
		before := *r.Review
		if err := s.nameForReview(tx, &r, role); err != nil {
			return err
		}
		if before.NotAsked == r.Review.NotAsked && before.Reviewers == r.Review.Reviewers {
			continue
		}
		named := pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: r.State, Text: "read who was not asked and who reviews"}
		if err := s.record(tx, &r, named); err != nil {
			return err
		}
		if err := s.turn(tx, &r); err != nil {
			return err
		}
	}
	return nil
}

// waitingReviews are the roles that a review waits for, by name, and whether one of
// them does not name people yet.
func (s *Service) waitingReviews() (reviews map[string]bool, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		reviews = map[string]bool{}
		open, err := OpenReviews(tx)
		for _, r := range open {
			reviews[r.Role] = reviews[r.Role] || r.Review.NotAsked == nil || r.Review.Reviewers == nil
		}
		return err
	})
	return reviews, err
}
