package pim

import (
	"cmp"
	"slices"
	"time"
)

// AlarmKind says what is not as it should be.
type AlarmKind string

// The kinds of alarms.
const (
	// AlarmOutside is a membership that PIM does not know.
	AlarmOutside AlarmKind = "outside"
	// AlarmStanding is an assignment in PIM that nobody activated.
	AlarmStanding AlarmKind = "standing"
	// AlarmUnexplained is an activation of which PIM shows no request.
	AlarmUnexplained AlarmKind = "unexplained"
	// AlarmRevived is an activation by a request that was taken for one that gave nothing.
	AlarmRevived AlarmKind = "revived"
	// AlarmOwner is an owner who was none when Elevate looked first.
	AlarmOwner AlarmKind = "owner"
	// AlarmEligible is an eligibility that the settings do not declare.
	AlarmEligible AlarmKind = "eligible"
	// AlarmRules is a change of a group's activation rules, AlarmPeople one of who
	// may ask or approve. They are told, and nothing stays that could be over.
	AlarmRules  AlarmKind = "rules"
	AlarmPeople AlarmKind = "people"
)

// Alarm is something about a governed group that came neither through an
// activation nor through anything else that Elevate knows.
type Alarm struct {
	Kind   AlarmKind   `json:"kind"`
	Group  GroupID     `json:"group"`
	Person PrincipalID `json:"person"`
	Name   string      `json:"name,omitempty"`
	Since  time.Time   `json:"since"` // when it was seen first
	// ID names it in chat: six letters and digits. One that comes again has another.
	ID string `json:"id,omitempty"`
	// What is what changed, of rules and of people, and People who came or went.
	What   string        `json:"what,omitempty"`
	People []PrincipalID `json:"people,omitempty"`
	// By are those who did it, as Entra's audit log has it, and Sought is since when
	// that is being looked for; zero where it is not.
	By     []Evidence `json:"by,omitempty"`
	Sought time.Time  `json:"sought,omitzero"`
	// Unread is set when the audit log could not be read for so long that it is not looked for any more.
	Unread bool `json:"unread,omitempty"`
	// Acknowledged is set when somebody has taken note of it, Over when it is gone.
	Acknowledged *Acknowledged `json:"acknowledged,omitempty"`
	Over         time.Time     `json:"over,omitzero"`
}

// Acknowledged says who has taken note of an alarm.
type Acknowledged struct {
	By Actor     `json:"by"`
	At time.Time `json:"at"`
}

// Lasting reports whether it is about something that stays until it is gone.
func (a Alarm) Lasting() bool { return a.Kind != AlarmRules && a.Kind != AlarmPeople }

// Open reports whether it is not over.
func (a Alarm) Open() bool { return a.Lasting() && a.Over.IsZero() }

// Same reports whether both are about the same.
func (a Alarm) Same(b Alarm) bool {
	return a.Kind == b.Kind && a.Group == b.Group && a.Person == b.Person
}

// Phrase says what somebody is, in words that follow a name.
func (a Alarm) Phrase() string {
	switch a.Kind {
	case AlarmStanding:
		return "has a standing assignment in PIM, which nobody activated"
	case AlarmUnexplained:
		return "has an activation in PIM of which PIM shows no request"
	case AlarmRevived:
		return "has an activation in PIM by a request that was over, and gave no access"
	case AlarmOwner:
		return "was made an owner of the group, and can let anyone in"
	case AlarmEligible:
		return "is eligible for the role, which the settings do not declare"
	case AlarmOutside, AlarmRules, AlarmPeople:
	}
	return "is a member outside PIM"
}

// Watched is what one reading says of a governed group.
type Watched struct {
	Group     GroupID
	At        time.Time
	Members   []Profile
	Instances []Instance
	// Known are those whose access Elevate itself follows, or has just seen end:
	// lists lag behind.
	Known []PrincipalID
	// Unexplained are activations of which PIM shows no request.
	Unexplained []Instance
	// Revived are activations by requests that were over without an access.
	Revived []Instance
	// Owners own the group now, and Owned did when it was looked at first.
	Owners []Profile
	Owned  []PrincipalID
	// Eligible are the eligibilities for it. Declared are those of the settings, nil where these do not say.
	Eligible []Eligibility
	Declared []PrincipalID
}

// AlarmsOf are the alarms that a reading of a group gives cause for.
func AlarmsOf(w Watched) []Alarm {
	byPIM := map[PrincipalID]bool{}
	standing := map[PrincipalID]bool{}
	for _, i := range w.Instances {
		if i.Access != Member {
			continue
		}
		byPIM[i.Principal] = true
		if !i.Activated {
			standing[i.Principal] = true
		}
	}
	var alarms []Alarm
	for _, m := range w.Members {
		a := Alarm{Kind: AlarmOutside, Group: w.Group, Person: m.ID, Name: m.Name, Since: w.At}
		switch {
		case standing[m.ID]:
			a.Kind = AlarmStanding
		case w.isAmong(w.Unexplained, m.ID):
			a.Kind = AlarmUnexplained
		case w.isAmong(w.Revived, m.ID):
			a.Kind = AlarmRevived
		case byPIM[m.ID] || slices.Contains(w.Known, m.ID):
			continue
		}
		alarms = append(alarms, a)
	}
	for _, o := range w.Owners {
		if !slices.Contains(w.Owned, o.ID) {
			alarms = append(alarms, Alarm{Kind: AlarmOwner, Group: w.Group, Person: o.ID, Name: o.Name, Since: w.At})
		}
	}
	for _, e := range w.Eligible {
		if w.Declared != nil && !slices.Contains(w.Declared, e.Principal) {
			alarms = append(alarms, Alarm{Kind: AlarmEligible, Group: w.Group, Person: e.Principal, Name: e.Name, Since: w.At})
		}
	}
	slices.SortFunc(alarms, func(a, b Alarm) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Kind, b.Kind))
	})
	return alarms
}

func (w Watched) isAmong(some []Instance, who PrincipalID) bool {
	return slices.ContainsFunc(some, func(i Instance) bool { return i.Group == w.Group && i.Principal == who })
}

// RulesChanged says what two readings of a group's activation rules differ in,
// in words for people: "approval: yes, now no".
func RulesChanged(was, is Policy) []string {
	yes := map[bool]string{true: "yes", false: "no"}
	none := func(s string) string { return cmp.Or(s, "none") }
	var said []string
	compare := func(what, before, after string) {
		if before != after {
			said = append(said, what+": "+before+", now "+after)
		}
	}
	compare("approval", yes[was.Approval], yes[is.Approval])
	compare("longest activation", FormatDuration(was.MaxDuration), FormatDuration(is.MaxDuration))
	compare("justification", yes[was.Justification], yes[is.Justification])
	compare("ticket", yes[was.Ticketing], yes[is.Ticketing])
	compare("MFA", yes[was.MFA], yes[is.MFA])
	compare("authentication context", none(was.Context), none(is.Context))
	if !sameMembers(was.ApproverPeople, is.ApproverPeople) || !sameMembers(was.ApproverGroups, is.ApproverGroups) {
		said = append(said, "approvers: others than before")
	}
	return said
}

func sameMembers[T ~string](a, b []T) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
