package tenant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
)

// Registration is the bot's own application in the tenant, as it stands.
type Registration struct {
	Found bool
	// Redirects are the redirect addresses of the platform Web; Elsewhere those of other platforms, where no secret is asked for.
	Redirects, Elsewhere []string
	// Delegated are the permissions that were consented to for everybody; ByPerson those that single people consented to.
	Delegated, ByPerson []string
	// Application are the permissions that it has by itself.
	Application []string
	// AssignmentRequired is true where only those who are assigned may sign in: Assigned.
	AssignmentRequired bool
	Assigned           []pim.PrincipalID
	// Claims are the optional claims of its ID tokens.
	Claims []string
	// Public is true where anybody may sign in to it without its secret.
	Public bool
	// Ends are the ends of its secrets and certificates, by what they are called.
	Ends []Ending
}

// Ending is a secret or certificate that ends.
type Ending struct {
	Name string
	At   time.Time
}

// WantedRegistration is how the bot's application has to be.
type WantedRegistration struct {
	Redirect    string
	Delegated   []string
	Application []string
	Claims      []string
	// Assigned are the groups and people that have to be able to sign in, by name.
	Assigned map[pim.PrincipalID]string
	// ReadsPolicies is a permission that may stand in for RoleManagementPolicy.Read.AzureADGroup.
	ReadsPolicies string
}

// soon is from when the end of a secret is named.
const soon = 30 * 24 * time.Hour

// Mend compares the bot's application with how it has to be, and returns the steps to make it so. None means that it is.
func (w WantedRegistration) Mend(r Registration, now time.Time) []string {
	if !r.Found {
		return []string{"The tenant has no application with the client id of entra.client_id. Register one as manifests/entra says, and put its client id into the settings."}
	}
	return slices.Concat(w.consents(r), w.settings(r), endings(r, now))
}

// consents are the steps about what it may do, the worst first.
func (w WantedRegistration) consents(r Registration) []string {
	var steps []string
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	for _, p := range extra(r.Application, append(slices.Clone(w.Application), w.ReadsPolicies)) {
		if strings.Contains(p, "Write") || !strings.Contains(p, "Read") {
			add("Take away the application permission %s at once: with it this application could make anyone a member.", p)
		} else {
			add("Take away the application permission %s, which Elevate does not need.", p)
		}
	}
	stands := slices.Contains(r.Application, w.ReadsPolicies)
	for _, p := range extra(w.Application, r.Application) {
		if !stands || !strings.HasPrefix(p, "RoleManagementPolicy.") {
			add("Add the application permission %s and grant admin consent.", p)
		}
	}
	for _, p := range extra(r.Delegated, w.Delegated) {
		add("Take away the delegated permission %s: nothing but the design's is ever consented on this registration.", p)
	}
	for _, p := range extra(r.ByPerson, w.Delegated) {
		add("Take away the delegated permission %s, which single people consented to.", p)
	}
	for _, p := range extra(w.Delegated, r.Delegated) {
		add("Add the delegated permission %s and grant admin consent.", p)
	}
	return steps
}

// settings are the steps about who can sign in to it and where sign-ins go.
func (w WantedRegistration) settings(r Registration) []string {
	var steps []string
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	if !r.AssignmentRequired {
		add("Switch *Assignment required* on under the enterprise application's properties, and assign the groups of people and approvers.")
	}
	var absent []string
	for id, name := range w.Assigned {
		if r.AssignmentRequired && !slices.Contains(r.Assigned, id) {
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 {
		add("Assign to the enterprise application, under Users and groups: %s. Until then they cannot sign in to Elevate.", listOf(absent))
	}
	if !slices.Contains(r.Redirects, w.Redirect) {
		add("Add the redirect address %s under the platform Web.", w.Redirect)
	}
	for _, other := range extra(r.Redirects, []string{w.Redirect}) {
		add("Take away the redirect address %s unless you know what it is for: sign-ins can be sent there.", other)
	}
	for _, other := range extra(r.Elsewhere, nil) {
		add("Take away the redirect address %s of the platform single-page, mobile or desktop application: there codes are taken without the secret.", other)
	}
	for _, claim := range extra(w.Claims, r.Claims) {
		add("Add the optional claim %s to the ID token under Token configuration.", claim)
	}
	if r.Public {
		add("Switch *Allow public client flows* off under Authentication.")
	}
	return steps
}

// endings are the steps about secrets and certificates that end.
func endings(r Registration, now time.Time) []string {
	var steps []string
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	for _, e := range r.Ends {
		if left := e.At.Sub(now); left <= 0 {
			add("Take away %s, which ended on %s.", e.Name, e.At.UTC().Format("2 January 2006"))
		} else if left < soon {
			add("Make a new secret or certificate: %s ends on %s.", e.Name, e.At.UTC().Format("2 January 2006"))
		}
	}
	return steps
}

// extra are those of a list that another has not, compared without regard to case.
func extra(list, other []string) []string {
	var out []string
	for _, one := range list {
		if !slices.ContainsFunc(other, func(o string) bool { return strings.EqualFold(o, one) }) {
			out = append(out, one)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
