package pim

import "time"

// Question is what is asked of the directory at once, with the read-only
// identity. It costs one round trip for each twenty entries.
type Question struct {
	Requests []string      // PIM request ids: their copies
	Pending  []GroupID     // all undecided requests of these groups
	Recent   []Recent      // all requests of one person for one group, for finding our own
	Access   []Membership  // is this person a member of this group, and by what
	Active   []GroupID     // all assignment instances of these groups
	Policies []GroupID     // the activation rules for members of these groups
	Members  []GroupID     // the people in these groups, through nested groups too
	Owners   []GroupID     // the people who own these groups
	Profiles []PrincipalID // what the directory says of these people
	Eligible []PrincipalID // the eligibilities of these people
	MayHave  []GroupID     // all eligibilities for these groups
}

// Recent asks for the requests of one person for one group.
type Recent struct {
	Group     GroupID
	Principal PrincipalID
}

// Membership names a person and a group.
type Membership struct {
	Group     GroupID
	Principal PrincipalID
}

// Answer is what the directory said. What could not be read is in Failed and
// is missing elsewhere: absence in a map is not absence in the directory.
type Answer struct {
	// At is Graph's clock when it answered, from its Date header.
	At       time.Time
	Requests map[string]Copy // ids that PIM answered with "not found" are in Gone
	Gone     map[string]bool
	Pending  map[GroupID][]Copy
	Recent   map[Recent][]Copy
	Access   map[Membership]Access
	Active   map[GroupID][]Instance
	Policies map[GroupID]Policy
	Members  map[GroupID][]Profile
	Owners   map[GroupID][]Profile
	Profiles map[PrincipalID]Profile
	Eligible map[PrincipalID][]Eligibility
	MayHave  map[GroupID][]Eligibility
	// Failed holds the first error of each part that could not be read.
	Failed []error
}

// Access is what one read said of a person's membership of a group.
type Access struct {
	// Member is the membership of the group itself (direct or through a nested group).
	Member bool
	// Instances are PIM's assignment instances of this person in this group.
	Instances []Instance
}

// Instance is an assignment that applies now, by PIM.
type Instance struct {
	ID         string      `json:"id"`
	Group      GroupID     `json:"group"`
	Principal  PrincipalID `json:"principal"`
	Access     string      `json:"access"`
	Activated  bool        `json:"activated"` // an activation, not a standing assignment
	ScheduleID string      `json:"schedule_id,omitempty"`
	Start      time.Time   `json:"start,omitzero"`
	End        time.Time   `json:"end,omitzero"`
}

// Eligibility says that a person may activate a group's membership.
type Eligibility struct {
	Group     GroupID
	Principal PrincipalID // the person, or the group the person is in
	Name      string      // of the principal, where it was asked for
	Access    string
	Start     time.Time
	End       time.Time // zero: permanent
}

// Policy is the activation rules of a group for the access member.
type Policy struct {
	Group         GroupID
	ReadAt        time.Time
	MaxDuration   time.Duration
	Justification bool
	Ticketing     bool
	MFA           bool
	Context       string // authentication context (c1 …), empty when switched off
	Approval      bool
	// Approvers are people and groups as named in the policy.
	ApproverPeople []PrincipalID
	ApproverGroups []GroupID
}
