package workflow

import (
	"cmp"
	"slices"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// formerlyTold is how a version before alarms had messages of their own told of them: each
// tell carried what it was about. Those that a chat did not take by then must not get lost.
type formerlyTold struct {
	Alarm  *pim.Alarm `json:"alarm,omitempty"`
	Rules  string     `json:"rules,omitempty"`
	People string     `json:"people,omitempty"`
	Role   string     `json:"role,omitempty"`
}

// alarmOf is the alarm that such a message is about; false where it is about none.
func (s *Service) alarmOf(told formerlyTold, e store.Effect) (a pim.Alarm, is bool) {
	role, _ := s.cfg.Roles.Named(told.Role)
	switch {
	case told.Alarm != nil:
		return *told.Alarm, true
	case told.Rules != "":
		return pim.Alarm{Kind: pim.AlarmRules, Group: role.Group, What: told.Rules, Since: e.First}, true
	case told.People != "":
		return pim.Alarm{Kind: pim.AlarmPeople, Group: role.Group, What: told.People, Since: e.First}, true
	}
	return a, false
}

// tellFormer has an alarm's own message posted in the place that was not told of it yet.
// One that is over by now is told as that.
func (s *Service) tellFormer(tx *store.Tx, to pim.Conversation, a pim.Alarm) error {
	all, err := noticesIn(tx)
	if err != nil {
		return err
	}
	same := func(n notice) bool { return n.Same(a) && n.What == a.What }
	i := slices.IndexFunc(all, func(n notice) bool { return same(n) && n.Open() })
	if i < 0 {
		i = slices.IndexFunc(all, same)
	}
	if i < 0 {
		if i = len(all); a.Lasting() {
			a.Over = tx.Now()
		}
		all = append(all, notice{Alarm: a})
	}
	n := &all[i]
	role, _ := s.cfg.Roles.Of(n.Group)
	n.Role = cmp.Or(n.Role, role.Name)
	if len(n.Refs) == 0 && len(n.By) == 0 && n.Over.IsZero() {
		n.Sought = tx.Now()
		if err := putEvidence(tx, n.Group); err != nil {
			return err
		}
	}
	n.ID = cmp.Or(n.ID, string(tx.NewRequestID()))
	id := n.ID
	if err := keepNotices(tx, all); err != nil {
		return err
	}
	return tx.PutEffect(alarmEffect(id, to))
}

// nameFormer names the alarms that stand there without a name, so that they can be acknowledged.
func nameFormer(tx *store.Tx) error {
	all, err := noticesIn(tx)
	if err != nil || !slices.ContainsFunc(all, func(n notice) bool { return n.ID == "" }) {
		return err
	}
	return keepNotices(tx, all)
}
