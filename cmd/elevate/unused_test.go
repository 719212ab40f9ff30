package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/config"
)

func TestSettingsThatNothingActsOnAreNamedByTheirPath(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{
		Teams: &config.Teams{}, OnCall: config.OnCall{PagerDuty: &config.PagerDuty{}}, Audit: config.Audit{Anchor: config.Place{Teams: "19:a@b"}},
		Roles: []config.Role{
			{Name: "plain", Decide: config.Decide{FreshSignIn: true}, Ask: config.Ask{Direct: true}},
			{
				Name: "full", Eligible: []string{"a"}, Approvers: []string{"b"}, Reviewers: []string{"c"}, Emergency: true,
				Require: config.Require{MFA: true}, Notify: config.Place{Teams: "19:a@b"}, Remind: config.Remind{After: time.Hour},
			},
		},
	}
	want := []string{
		"roles[1].emergency", "roles[1].reviewers",
	}
	if diff := cmp.Diff(want, unused(cfg)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := unused(&config.Config{Roles: cfg.Roles[:1]}); len(got) > 0 {
		t.Errorf("nothing of these is set: %v", got)
	}
}
