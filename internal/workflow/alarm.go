package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// mostAlarms bounds how many of one kind in one group wait for somebody to take note; more are raised as others end or are
// acknowledged. What happens to one group keeps no other quiet, nor an alarm of another kind.
const mostAlarms = 200

// beyondEvery is how often on-call is told that there are more.
const beyondEvery = 24 * time.Hour

// flock are the alarms of one kind in a group.
type flock struct {
	group pim.GroupID
	kind  pim.AlarmKind
}

// suspected is how far apart two readings have to be that agree, before an alarm
// is raised: the directory's lists lag.
const suspected = 2 * time.Minute

// covered is which kinds of alarms a reading of a group can raise and end, except for
// those whose requests were not read.
type covered struct {
	kinds  map[pim.GroupID]map[pim.AlarmKind]bool
	unread map[pim.Recent]bool
}

func (c covered) by(a pim.Alarm) bool {
	if c.unread[pim.Recent{Group: a.Group, Principal: a.Person}] && (a.Kind == pim.AlarmUnexplained || a.Kind == pim.AlarmRevived) {
		return false
	}
	return c.kinds[a.Group][a.Kind]
}

func (c covered) add(g pim.GroupID, kinds ...pim.AlarmKind) {
	if c.kinds[g] == nil {
		c.kinds[g] = map[pim.AlarmKind]bool{}
	}
	for _, k := range kinds {
		c.kinds[g][k] = true
	}
}

// watchGroups raises and ends the alarms of the groups that were read, and tells of
// changed activation rules and of people who came and went. Only the sweep's own
// lane calls it.
func (s *Service) watchGroups(a pim.Answer, un unexplained) error {
	return s.update(func(tx *store.Tx) error {
		var seen []pim.Alarm
		read := covered{kinds: map[pim.GroupID]map[pim.AlarmKind]bool{}, unread: un.unread}
		for _, role := range s.cfg.Roles {
			w, err := s.watched(tx, role, a, un, read)
			if err != nil {
				return err
			}
			seen = append(seen, pim.AlarmsOf(w)...)
		}
		if err := s.settleAlarms(tx, read, s.sure(seen, read)); err != nil {
			return err
		}
		if err := s.compareRules(tx, a); err != nil {
			return err
		}
		return s.comparePeople(tx, a)
	})
}

// watched is what a reading says of a group, and notes what it covers.
func (s *Service) watched(tx *store.Tx, role pim.Role, a pim.Answer, un unexplained, read covered) (pim.Watched, error) {
	w := pim.Watched{Group: role.Group, At: tx.Now()}
	members, hasMembers := a.Members[role.Group]
	instances, hasInstances := a.Active[role.Group]
	if hasMembers && hasInstances {
		known, err := s.following(tx, role.Group)
		if err != nil {
			return w, err
		}
		w.Members, w.Instances, w.Known, w.Unexplained, w.Revived = members, instances, known, un.instances, un.revived
		read.add(role.Group, pim.AlarmOutside, pim.AlarmStanding, pim.AlarmUnexplained, pim.AlarmRevived)
	}
	if owners, hasOwners := a.Owners[role.Group]; hasOwners {
		owned, err := ownedBefore(tx, role.Group, owners)
		if err != nil {
			return w, err
		}
		w.Owners, w.Owned = owners, owned
		read.add(role.Group, pim.AlarmOwner)
	}
	if eligible, hasEligible := a.MayHave[role.Group]; hasEligible {
		w.Eligible, w.Declared = eligible, s.declared(role)
		if w.Declared != nil {
			read.add(role.Group, pim.AlarmEligible)
		}
	}
	return w, nil
}

// ownedBefore are those who owned a group when it was read first.
func ownedBefore(tx *store.Tx, g pim.GroupID, now []pim.Profile) (before []pim.PrincipalID, err error) {
	key := "owners|" + string(g)
	if known, err := tx.Meta(key, &before); err != nil || known {
		return before, err
	}
	before = []pim.PrincipalID{}
	for _, o := range now {
		before = append(before, o.ID)
	}
	return before, tx.PutMeta(key, before)
}

// following are the people whose access to a group Elevate follows.
func (s *Service) following(tx *store.Tx, g pim.GroupID) ([]pim.PrincipalID, error) {
	open, err := tx.OpenInGroup(g, pim.Granting, pim.Active)
	if err != nil {
		return nil, err
	}
	var people []pim.PrincipalID
	for _, r := range open {
		people = append(people, r.Principal)
	}
	return people, nil
}

// sure are those of the alarms that were seen before, long enough ago; the rest is
// remembered.
func (s *Service) sure(seen []pim.Alarm, read covered) []pim.Alarm {
	s.suspects = slices.DeleteFunc(s.suspects, func(old pim.Alarm) bool {
		return read.by(old) && !slices.ContainsFunc(seen, old.Same)
	})
	var sure []pim.Alarm
	for _, now := range seen {
		i := slices.IndexFunc(s.suspects, now.Same)
		switch {
		case i < 0:
			s.suspects = append(s.suspects, now)
		case now.Since.Sub(s.suspects[i].Since).Abs() >= suspected:
			now.Since = s.suspects[i].Since
			sure = append(sure, now)
		}
	}
	return sure
}

// doubtful reports whether somebody was seen in a group who should not be there:
// it is read again soon.
func (s *Service) doubtful(g pim.GroupID) bool {
	return slices.ContainsFunc(s.suspects, func(a pim.Alarm) bool { return a.Group == g })
}

// settleAlarms raises what is new and ends what is over.
func (s *Service) settleAlarms(tx *store.Tx, read covered, sure []pim.Alarm) error {
	all, err := noticesIn(tx)
	if err != nil {
		return err
	}
	open, changed, err := s.endAlarms(tx, read, all)
	if err != nil {
		return err
	}
	beyond := map[flock]int{}
	for _, now := range sure {
		of := flock{now.Group, now.Kind}
		switch {
		case slices.ContainsFunc(all, func(n notice) bool { return n.Open() && n.Same(now) }):
			continue
		case open[of] >= mostAlarms:
			beyond[of]++
			continue
		}
		open[of]++
		changed = true
		role, _ := s.cfg.Roles.Of(now.Group)
		if all, err = s.raise(tx, all, now, role); err != nil {
			return err
		}
	}
	if err := s.tellBeyond(tx, beyond); err != nil || !changed {
		return err
	}
	return errors.Join(keepNotices(tx, all), s.turnHomes(tx))
}

// endAlarms ends those that are over, and counts those that wait for somebody to take note.
func (s *Service) endAlarms(tx *store.Tx, read covered, all []notice) (open map[flock]int, changed bool, err error) {
	open = map[flock]int{}
	for i := range all {
		n := &all[i]
		if !n.Open() {
			continue
		}
		role, governed := s.cfg.Roles.Of(n.Group)
		if n.Role == "" {
			n.Role = role.Name // from a time when it was not kept
		}
		if governed && (!read.by(n.Alarm) || slices.ContainsFunc(s.suspects, n.Same)) {
			if !n.quiet() {
				open[flock{n.Group, n.Kind}]++
			}
			continue
		}
		n.Over, changed = tx.Now(), true
		if err := s.sayAlarm(tx, n, pim.EventAlarmOver, string(n.Kind)); err != nil {
			return nil, false, err
		}
	}
	return open, changed, nil
}

// tellBeyond tells on-call, once a day, how many alarms of a kind there are beside those that are told one by one.
func (s *Service) tellBeyond(tx *store.Tx, beyond map[flock]int) error {
	for of, more := range beyond {
		key := "alarms beyond|" + string(of.group) + "|" + string(of.kind)
		var told time.Time
		if _, err := tx.Meta(key, &told); err != nil {
			return err
		}
		if tx.Now().Sub(told).Abs() < beyondEvery {
			continue
		}
		if err := tx.PutMeta(key, tx.Now()); err != nil {
			return err
		}
		role, _ := s.cfg.Roles.Of(of.group)
		text := fmt.Sprintf("%s: beside the %d alarms of the kind that are open, there are %d more, each of somebody who %s. They are raised as those end or are acknowledged. Look at the group in Entra.",
			role.Title, mostAlarms, more, pim.Alarm{Kind: of.kind}.Phrase())
		if err := s.tellOnCall(tx, pim.Roles{role}, fmt.Sprintf("%s|%d", key, tx.Now().Unix()), message{Text: text, Administered: true}); err != nil {
			return err
		}
	}
	return nil
}

// tellOnCall says something once in each place where on-call is told of one of the roles.
func (s *Service) tellOnCall(tx *store.Tx, roles pim.Roles, key string, m message) error {
	var told []string
	for _, role := range roles {
		for _, to := range role.Notify {
			if slices.Contains(told, to.String()) {
				continue
			}
			told = append(told, to.String())
			if err := s.putTell(tx, key, "", to, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// rulesKept is where the rules of a group stand as they were read last.
func rulesKept(g pim.GroupID) string { return "rules|" + string(g) }

// compareRules tells on-call when the activation rules of a group are others than
// they were. The first reading is what they are compared with.
func (s *Service) compareRules(tx *store.Tx, a pim.Answer) error {
	for _, role := range s.cfg.Roles {
		is, read := a.Policies[role.Group]
		if !read {
			continue
		}
		is.ReadAt = time.Time{}
		var was pim.Policy
		known, err := tx.Meta(rulesKept(role.Group), &was)
		if err != nil {
			return err
		}
		changed := pim.RulesChanged(was, is)
		if known && len(changed) == 0 {
			continue
		}
		if err := tx.PutMeta(rulesKept(role.Group), is); err != nil {
			return err
		}
		if !known {
			continue
		}
		a := pim.Alarm{Kind: pim.AlarmRules, Group: role.Group, What: strings.Join(changed, "; "), Since: tx.Now()}
		if err := s.raiseAlone(tx, a, role); err != nil {
			return err
		}
	}
	return nil
}
