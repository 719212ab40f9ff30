package sim_test

import (
	"errors"
	"strings"
	"testing"

	"elevate/internal/sim"
	"elevate/internal/sim/cast"
)

func TestAnAdministratorChangesTheTenantInThePortal(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	for _, line := range []string{
		"ada portal policy mde-admin max 4h", "ada portal policy mde-admin approval off", "ada portal policy mde-admin approval on",
		"ada portal policy mde-admin justification off", "ada portal policy mde-admin approver bob pim-mde-approvers",
		"ada portal policy mde-admin ticket on", "ada portal policy mde-admin mfa on", "ada portal policy mde-admin permanent off",
		"ada portal member add carol mde-analyst", "ada portal member remove carol mde-analyst",
		"ada portal owner add carol mde-analyst", "ada portal owner remove carol mde-analyst",
		"ada portal uneligible pim-mde-analyst mde-analyst", "ada portal eligible nils mde-analyst",
		"ada portal nest mde-analyst in security-auditors", "ada portal defender security-auditors MDE Analyst",
	} {
		if r := act(t, s, strings.Fields(line)...); r.Failed != "" {
			t.Errorf("%s: %s", line, r.Failed)
		}
	}
	p, err := s.Entra.Policy(cast.RoleAdministrator)
	if err != nil || p.MaxDuration != "PT240M" || !p.Approval || p.Justification || !p.MFA || strings.Join(p.Approvers, ",") != "bob,"+cast.Approvers {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, line := range []string{
		"greta portal policy mde-admin max 4h", "ada portal policy mde-admin max 48h", "ada portal nest pim-mde-approvers in mde-admin",
		"ada portal member remove carol mde-admin", "ada portal owner remove carol mde-admin", "ada portal uneligible carol mde-admin", "ada portal defender mde-admin Nothing",
	} {
		if r := act(t, s, strings.Fields(line)...); r.Failed == "" {
			t.Errorf("%s: %s", line, r.Text)
		}
	}
	for _, line := range []string{
		"ada portal policy mde-admin max long", "ada portal policy mde-admin approval maybe", "ada portal policy mde-admin colour on",
		"ada portal member paint carol mde-admin", "ada portal nest mde-admin mde-analyst", "ada portal eligible carol", "ada portal defender mde-admin",
	} {
		_, err := s.Do(t.Context(), strings.Fields(line))
		var misunderstood *sim.UnknownError
		if !errors.As(err, &misunderstood) || !strings.HasPrefix(misunderstood.Help, "PERSON portal") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
