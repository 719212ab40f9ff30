package cast

import "fmt"

// Names of the groups and registrations of the model scenario.
const (
	PIMAdministrator  = "PIM MDE Administrator"
	PIMAnalyst        = "PIM MDE Analyst"
	PIMLiveResponse   = "PIM MDE Live Response"
	Approvers         = "PIM MDE Approvers"
	RoleAdministrator = "Role_MDE Administrator"
	RoleAnalyst       = "Role_MDE Analyst"
	RoleLiveResponse  = "Role_MDE Live Response"
	Auditors          = "Security Auditors"

	AppElevate  = "Elevate"
	AppBot      = "Elevate Bot"
	AppPipeline = "Elevate Pipeline"
	AppGraphCLI = "Microsoft Graph Command Line Tools"
	AppAzureCLI = "Microsoft Azure CLI"
)

const (
	domain    = "contoso.example"
	teamID    = "T0CONTOSO1"
	otherTeam = "T0FABRIKAM"
)

// Model returns the model scenario. Each call returns a copy of its own.
func Model() *Cast {
	return &Cast{
		TenantID:      "c0705000-0000-4000-8000-000000000001",
		Domain:        domain,
		OtherTenantID: "fab81ca0-0000-4000-8000-000000000002",
		Team:          Team{ID: teamID, Name: "Contoso", Domain: "contoso"},
		OtherTeam:     Team{ID: otherTeam, Name: "Fabrikam", Domain: "fabrikam"},
		People:        people(),
		Groups:        groups(),
		Eligibilities: eligibilities(),
		Policies:      policies(),
		Apps:          apps(),
		DefenderRoles: defenderRoles(),
	}
}

func defenderRoles() []DefenderRole {
	return []DefenderRole{
		{guid("defe0100", 1), "MDE Administrator", "Settings and all permissions of Microsoft Defender for Endpoint", []string{RoleAdministrator}},
		{guid("defe0100", 2), "MDE Analyst", "Alerts, incidents and advanced hunting", []string{RoleAnalyst}},
		{guid("defe0100", 3), "MDE Live Response", "Live response, basic and advanced", []string{RoleLiveResponse}},
	}
}

// EveryOne is the one group that an empty tenant's people are all in.
const EveryOne = "All Employees"

// Empty returns the same people and registrations in a tenant where nobody has set anything up: no group of the model
// scenario is there but that of the auditors, nobody but ada may sign in to Elevate, and nobody has consented to what
// setting up needs.
func Empty() *Cast {
	c := Model()
	c.Eligibilities, c.Policies = nil, nil
	everyone := Group{ID: guid("94095000", 101), Name: EveryOne, Description: "Everybody who works here", Owners: []string{"greta"}}
	for _, p := range c.People {
		if p.UserType == Member {
			everyone.Members = append(everyone.Members, p.Key)
		}
	}
	auditors, _ := c.Group(Auditors)
	c.Groups = []Group{
		everyone, auditors,
		{ID: guid("94095000", 102), Name: "Sales", Description: "Sells", Members: []string{"nils"}, Owners: []string{"greta"}},
		{ID: guid("94095000", 103), Name: "Contractors", MembershipRule: `(user.userType -eq "Guest")`, Members: []string{"gus"}},
		{ID: guid("94095000", 104), Name: "Helpdesk", Description: "Synced from Active Directory", Synced: true, Members: []string{"pat"}},
		{ID: guid("94095000", 105), Name: "Executives", ManagementRestricted: true, Members: []string{"frank"}},
	}
	for i := range c.DefenderRoles {
		c.DefenderRoles[i].Groups = nil
	}
	for i := range c.Apps {
		if c.Apps[i].AssignmentRequired {
			c.Apps[i].Assigned = []string{"ada"}
		}
		if c.Apps[i].ClientID == GraphCLIClientID {
			c.Apps[i].Delegated = []string{"openid", "profile", "offline_access", "email", "User.Read"}
		}
	}
	return c
}

func guid(kind string, n int) string {
	return fmt.Sprintf("%s-0000-4000-8000-%012d", kind, n)
}

func employee(n int, key, name string) Person {
	return Person{
		Key:         key,
		DisplayName: name,
		ObjectID:    guid("0be0b1e5", n),
		UPN:         key + "@" + domain,
		UserType:    Member,
		Enabled:     true,
		EmployeeID:  fmt.Sprintf("E%04d", n),
		Slack:       SlackAccount{UserID: fmt.Sprintf("U0PERSON%02d", n), TeamID: teamID},
	}
}

func people() []Person {
	return append([]Person{
		employee(1, "alice", "Alice Anders"),
		employee(2, "bob", "Bob Berger"),
		employee(3, "carol", "Carol Chen"),
		employee(4, "dan", "Dan Dietrich"),
		employee(5, "erin", "Erin Engel"),
		employee(6, "frank", "Frank Fischer"),
		employee(8, "lena", "Lena Lindt"),
		employee(9, "audrey", "Audrey Auer"),
		employee(10, "nils", "Nils Nolte"), // in no group: not assigned to the app
	}, oddPeople()...)
}

// oddPeople are those whom the bot has to treat differently.
func oddPeople() []Person {
	admin := employee(7, "adm-frank", "Frank Fischer (Admin)")
	admin.EmployeeID = "E0006" // the same human as frank
	admin.Slack = SlackAccount{}
	ada := employee(11, "ada", "Ada Adler")
	ada.Admin = true
	gus := employee(12, "gus", "Gus Gardner")
	gus.UserType, gus.EmployeeID, gus.HomeTenant = Guest, "", "fab81ca0-0000-4000-8000-000000000002"
	gus.UPN = "gus_fabrikam.example#EXT#@" + domain
	pat := employee(13, "pat", "Pat Peters") // an employee whose Slack account is a guest's
	pat.Slack.Restricted = true
	dora := employee(14, "dora", "Dora Dunn")
	dora.Slack.Deactivated = true
	greta := employee(15, "greta", "Greta Graf") // looks after groups, but not after privileged ones
	greta.GroupsAdmin, greta.Slack = true, SlackAccount{}
	sam := Person{Key: "sam", DisplayName: "Sam Stone", Slack: SlackAccount{UserID: "U0FABRIK01", TeamID: otherTeam, Stranger: true}}
	robo := Person{Key: "robo", DisplayName: "Build Bot", Slack: SlackAccount{UserID: "U0BUILDBOT", TeamID: teamID, Bot: true}}
	ann := Person{Key: "ann", DisplayName: "Ann (Guest)", Anonymous: true}
	return []Person{admin, ada, gus, pat, dora, greta, sam, robo, ann}
}

func groups() []Group {
	owners := []string{"ada"}
	group := func(n int, name, what string, members ...string) Group {
		return Group{ID: guid("94095000", n), Name: name, Description: what, Members: members, Owners: owners}
	}
	role := func(n int, name, what string) Group {
		g := group(n, name, what)
		g.RoleAssignable = true
		return g
	}
	return []Group{
		group(1, PIMAdministrator, "May activate MDE Administrator", "alice", "bob", "erin", "adm-frank", "lena", "pat", "dora"),
		role(2, RoleAdministrator, "Microsoft Defender for Endpoint administrator"),
		group(3, PIMAnalyst, "May activate MDE Analyst", "alice", "dan", "erin", "gus", "lena", "frank"),
		role(4, RoleAnalyst, "Day-to-day access to Microsoft Defender"),
		group(5, PIMLiveResponse, "May activate MDE Live Response", "alice", "dan", "bob", "lena"),
		role(6, RoleLiveResponse, "Live response on devices"),
		group(7, Approvers, "Approve activations", "bob", "carol"),
		group(8, Auditors, "May read everything", "audrey"),
	}
}

func eligibilities() []Eligibility {
	return []Eligibility{
		{ID: guid("e1191b1e", 1), Group: RoleAdministrator, Principal: PIMAdministrator},
		{ID: guid("e1191b1e", 2), Group: RoleAnalyst, Principal: PIMAnalyst},
		{ID: guid("e1191b1e", 3), Group: RoleLiveResponse, Principal: PIMLiveResponse},
	}
}

func policies() []Policy {
	approval := func(n int, group, longest string) Policy {
		return Policy{
			ID: guid("90110100", n), Group: group, MaxDuration: longest, Justification: true,
			Approval: true, Approvers: []string{Approvers}, ApproverJustification: true,
		}
	}
	return []Policy{
		approval(1, RoleAdministrator, "PT8H"),
		{ID: guid("90110100", 2), Group: RoleAnalyst, MaxDuration: "PT10H", Justification: true},
		approval(3, RoleLiveResponse, "PT4H"),
	}
}

// Derived returns a fixed GUID for the n-th thing of a kind; kind is eight hexadecimal digits.
func Derived(kind string, n int) string { return guid(kind, n) }
