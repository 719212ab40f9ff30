package main

import (
	"errors"
	"testing"

	"elevate/internal/config"
)

func TestTeamsIsKeptAwayFromARealTenant(t *testing.T) {
	t.Parallel()
	b := &bot{cfg: &config.Config{Teams: &config.Teams{AppID: "a", TenantID: "t"}}}
	if err := b.wireTeams(); !errors.Is(err, errTeamsNotReady) || b.teams != nil {
		t.Errorf("it was wired: %v", err)
	}
}
