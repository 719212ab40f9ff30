package tenant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

func TestWhoHasToBeAbleToSignIn(t *testing.T) {
	t.Parallel()
	w := wanted()
	w.Readers, w.Roles[0].Approvers = []string{"Approvers", "No such group"}, []string{"bob@contoso.com", "alice@contoso.com"}
	group := func(n int) pim.PrincipalID { return pim.PrincipalID(id(n)) }
	for name, c := range map[string]struct {
		assigned []pim.PrincipalID
		want     map[pim.PrincipalID]string
	}{
		"nobody is assigned": {nil, map[pim.PrincipalID]string{
			group(people): "PIM Admin", group(approvers): "Approvers", bob.ID: "Bob (bob@contoso.com)", alice.ID: "Alice (alice@contoso.com)",
		}},
		"a group of one of them is": {[]pim.PrincipalID{group(approvers)}, map[pim.PrincipalID]string{
			group(people): "PIM Admin", group(approvers): "Approvers", alice.ID: "Alice (alice@contoso.com)",
		}},
	} {
		if diff := cmp.Diff(c.want, as().SignIns(w, c.assigned)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestARedirectAddressOfAnotherPlatformIsNotOneOfTheWeb(t *testing.T) {
	t.Parallel()
	const address = "https://elevate.contoso.com/auth/entra/callback"
	w := tenant.WantedRegistration{Redirect: address}
	steps := strings.Join(w.Mend(tenant.Registration{Found: true, AssignmentRequired: true, Elsewhere: []string{address}}, time.Time{}), "\n")
	for _, want := range []string{"Add the redirect address " + address + " under the platform Web.", "Take away the redirect address " + address + " of the platform single-page"} {
		if !strings.Contains(steps, want) {
			t.Errorf("%q is not among\n%s", want, steps)
		}
	}
	if steps := w.Mend(tenant.Registration{Found: true, AssignmentRequired: true, Redirects: []string{address}}, time.Time{}); len(steps) > 0 {
		t.Errorf("%q", steps)
	}
}
