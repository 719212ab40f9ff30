package sim

import (
	"strconv"
	"strings"
	"time"

	"elevate/internal/sim/simentra"
)

// actTenant changes how the tenant behaves: one word and its value.
func (s *Sandbox) actTenant(words []string) (Result, error) {
	if len(words) != 2 {
		return Result{}, unknown(append([]string{"tenant"}, words...))
	}
	change := behaves(words[0], words[1])
	if change == nil {
		return Result{}, unknown(append([]string{"tenant"}, words...))
	}
	s.Entra.SetBehavior(change)
	return Result{Text: "the tenant's " + strings.Join(words, " is ")}, nil
}

// behaves reads a behaviour and its value; nil where they mean nothing.
func behaves(what, value string) func(*simentra.Behavior) {
	if n, err := strconv.Atoi(value); err == nil && n >= 0 {
		switch what {
		case "role-assignable":
			return func(b *simentra.Behavior) { b.RoleAssignable = n }
		case "write-limit":
			return func(b *simentra.Behavior) { b.WriteLimit = n }
		case "patch-answers":
			if n == 200 || n == 204 {
				return func(b *simentra.Behavior) { b.PatchAnswers200 = n == 200 }
			}
		}
	}
	if d, err := time.ParseDuration(value); err == nil && d >= 0 {
		switch what {
		case "new-group-lag":
			return func(b *simentra.Behavior) { b.NewGroupLag = d }
		case "onboarding-lag":
			return func(b *simentra.Behavior) { b.OnboardingLag = d }
		}
	}
	return nil
}
