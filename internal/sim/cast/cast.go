// Package cast is the model scenario as data: who works at the sandbox company, in which groups, under which PIM rules.
//
// It does no input or output, keeps no state and enforces nothing; the fake services start from it.
package cast

// User types of Entra.
const (
	Member = "Member"
	Guest  = "Guest"
)

// A Cast is one tenant and the chat workspace beside it.
type Cast struct {
	TenantID      string
	Domain        string
	OtherTenantID string // where the guest comes from
	Team          Team
	OtherTeam     Team // a workspace connected to ours by a shared channel
	People        []Person
	Groups        []Group
	Eligibilities []Eligibility
	Policies      []Policy
	Apps          []App
	DefenderRoles []DefenderRole
}

// A Team is a Slack workspace.
type Team struct {
	ID, Name, Domain string
}

// A Person is an Entra account, a Slack account, or both. What they do not have is empty.
type Person struct {
	Key         string // first name, the word by which tests and the control API call them
	DisplayName string
	ObjectID    string // Entra object id; empty: no account in the tenant
	UPN         string
	UserType    string
	Enabled     bool
	EmployeeID  string
	HomeTenant  string // for guests: the tenant that signs them in
	Admin       bool   // holds Privileged Role Administrator and may consent
	GroupsAdmin bool   // holds Groups Administrator: everything about groups, but nothing about role-assignable ones
	Anonymous   bool   // takes part in meetings without any account
	Slack       SlackAccount
}

// A SlackAccount is how somebody stands in Slack. UserID is empty for those who are not there.
type SlackAccount struct {
	UserID      string
	TeamID      string
	Restricted  bool // guest of our workspace (is_restricted)
	Stranger    bool // member of another workspace, seen in a shared channel
	Bot         bool
	Deactivated bool
}

// A Group is an Entra security group. Members are keys of people and, where groups are nested, names of groups; Owners
// are keys of people.
type Group struct {
	ID                   string
	Name                 string
	Description          string
	RoleAssignable       bool
	MembershipRule       string // not empty: the members are dynamic, which PIM for Groups does not take
	Synced               bool   // mastered on premises
	ManagementRestricted bool   // in a restricted management administrative unit
	Members              []string
	Owners               []string
}

// An Eligibility makes a principal eligible for membership in Group. Principal is a group's name or a person's key.
type Eligibility struct {
	ID        string
	Group     string
	Principal string
}

// A Policy is the PIM rules for activating membership in Group.
type Policy struct {
	ID                    string
	Group                 string
	MaxDuration           string // ISO 8601, as in PIM
	Justification         bool
	Ticketing             bool
	MFA                   bool
	AuthContext           string // "" or c1 to c99
	Approval              bool
	Approvers             []string // names of groups or keys of people
	ApproverJustification bool
}

// An App is a registration and what was consented to for it.
type App struct {
	Name               string
	ClientID           string
	ServicePrincipalID string
	Secret             string
	Public             bool
	Redirects          []string
	Delegated          []string // consented for all of the tenant
	Application        []string
	OptionalClaims     []string
	AssignmentRequired bool
	Assigned           []string // names of groups or keys of people
	FirstParty         bool     // preauthorised by Microsoft: asks for nothing beyond Delegated, AADSTS65002
}

// A DefenderRole is a custom role of Microsoft Defender's unified role-based access control, and the groups that have it.
type DefenderRole struct {
	ID, Name, Description string
	Groups                []string
}

// Person returns who has the given key.
func (c *Cast) Person(key string) (Person, bool) {
	for _, p := range c.People {
		if p.Key == key {
			return p, true
		}
	}
	return Person{}, false
}

// Group returns the group of that name.
func (c *Cast) Group(name string) (Group, bool) {
	for _, g := range c.Groups {
		if g.Name == name {
			return g, true
		}
	}
	return Group{}, false
}

// App returns the registration of that name.
func (c *Cast) App(name string) (App, bool) {
	for _, a := range c.Apps {
		if a.Name == name {
			return a, true
		}
	}
	return App{}, false
}

// Principal returns the object id behind a person's key or a group's name.
func (c *Cast) Principal(name string) (string, bool) {
	if g, ok := c.Group(name); ok {
		return g.ID, true
	}
	p, ok := c.Person(name)
	return p.ObjectID, ok && p.ObjectID != ""
}
