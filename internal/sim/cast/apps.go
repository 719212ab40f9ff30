package cast

// Client ids that are the same in every tenant.
const (
	GraphCLIClientID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
	AzureCLIClientID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	GraphAppID       = "00000003-0000-0000-c000-000000000000"
	ConnectorURL     = "https://api.botframework.com" // the Bot Framework's, as tokens name it
)

func apps() []App {
	return []App{elevate(), bot(), pipeline(), graphCLI(), azureCLI()}
}

// elevate is the bot's registration with exactly the consents of the design.
func elevate() App {
	return App{ //nolint:gosec // the sandbox's made-up secret
		Name:               AppElevate,
		ClientID:           guid("e1e7a7e0", 1),
		ServicePrincipalID: guid("5e471ce0", 1),
		Secret:             "sandbox-entra-client-secret",
		Delegated: []string{
			"openid", "profile", "offline_access",
			"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "PrivilegedEligibilitySchedule.Read.AzureADGroup",
		},
		Application: []string{
			"PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.Read.AzureADGroup",
			"RoleManagementPolicy.Read.AzureADGroup", "GroupMember.Read.All", "User.Read.All", "AuditLog.Read.All",
		},
		OptionalClaims:     []string{"auth_time", "acrs"},
		AssignmentRequired: true,
		Assigned:           []string{PIMAdministrator, PIMAnalyst, PIMLiveResponse, Approvers, Auditors, "ada"},
	}
}

// bot is the registration of the bot in Teams. It may do nothing in Graph: nobody consented to anything.
func bot() App {
	return App{ //nolint:gosec // the sandbox's made-up secret
		Name: AppBot, ClientID: guid("e1e7a7e0", 2), ServicePrincipalID: guid("5e471ce0", 4), Secret: "sandbox-teams-client-secret",
	}
}

// pipeline is a workload that sets the tenant up and looks for drift, as itself: nobody signs in to it.
func pipeline() App {
	return App{
		Name: AppPipeline, ClientID: guid("e1e7a7e0", 3), ServicePrincipalID: guid("5e471ce0", 5), Secret: "sandbox-pipeline-client-secret",
		Application: []string{
			"Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "RoleManagementPolicy.ReadWrite.AzureADGroup",
			"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup", "User.Read.All", "Application.Read.All", "AuditLog.Read.All",
		},
	}
}

// graphCLI is the public client administrators sign in through; an administrator has consented to what setting up needs.
func graphCLI() App {
	return App{
		Name: AppGraphCLI, ClientID: GraphCLIClientID, ServicePrincipalID: guid("5e471ce0", 2), Public: true,
		Redirects: []string{"http://localhost", "https://login.microsoftonline.com/common/oauth2/nativeclient"},
		Delegated: []string{
			"openid", "profile", "offline_access", "email", "User.Read", "User.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All",
			"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
			"RoleManagementPolicy.ReadWrite.AzureADGroup", "RoleManagement.ReadWrite.Directory", "AuditLog.Read.All",
		},
	}
}

// azureCLI has the scopes Microsoft gave it and no others; PIM's are not among them.
func azureCLI() App {
	return App{
		Name: AppAzureCLI, ClientID: AzureCLIClientID, ServicePrincipalID: guid("5e471ce0", 3), Public: true, FirstParty: true,
		Redirects: []string{"http://localhost"},
		Delegated: []string{
			"openid", "profile", "offline_access", "email", "User.Read.All", "Group.ReadWrite.All",
			"AuditLog.Read.All", "Directory.AccessAsUser.All", "Application.ReadWrite.All",
		},
	}
}
