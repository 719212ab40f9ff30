package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"elevate/adapters/entra"
	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// The first act of the demo: an administrator, and where she types.
const (
	administrator          = "ada"
	atTerminal    pim.Chat = "terminal"
)

// setUp plays the demo's first act: the administrator has an empty tenant made as the settings declare it, and lets the groups
// sign in to the bot, which is no command's to do.
func (s *stage) setUp(ctx context.Context, home string, to demoPrinter) error {
	cfg, err := config.Load(filepath.Join(home, settingsFile), func(string) (string, bool) { return "", false }, os.ReadFile, config.NoSecrets())
	if err != nil {
		return err
	}
	began := time.Now()
	t, said, err := s.administers(ctx, cfg)
	if err == nil {
		err = t.p.tenantApply(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("setting the tenant up: %w\n%s", err, said)
	}
	for _, g := range cfg.Tenant.Groups {
		if _, err := s.box.Do(ctx, []string{administrator, "portal", "assign-app", g.Name}); err != nil {
			return err
		}
	}
	plan, _, err := t.read(ctx)
	if err != nil || !plan.Nothing() {
		return errors.Join(err, fmt.Errorf("the tenant that was set up is not as declared:\n%s", said))
	}
	_, steps, _ := strings.Cut(said.String(), "This is about the tenant ")
	return to.printSetUp("This is about the tenant "+steps, time.Since(began))
}

// administers signs the administrator in by a device code, which she enters.
func (s *stage) administers(ctx context.Context, cfg *config.Config) (*tenantSide, *bytes.Buffer, error) {
	var said bytes.Buffer
	var entering error
	admin, err := entra.NewAdministrator(entra.AdministratorConfig{
		TenantID: cfg.Entra.TenantID, ClientID: cfg.Tenant.ClientID, Authority: cfg.Entra.Authority, Graph: cfg.Entra.Graph, Way: entra.ByDevice, Changes: true, Groups: true,
		SamePersonAttribute: cfg.People.SamePerson, Transport: s.client.Transport, Sandbox: true, Now: s.box.Clock.Now,
		Tell: func(message string) {
			_, code, _ := strings.Cut(strings.TrimSuffix(message, "."), "enter the code ")
			_, entering = s.box.Do(ctx, []string{administrator, "web", "device", code})
		},
	})
	if err != nil {
		return nil, &said, err
	}
	who, err := admin.SignIn(ctx)
	return &tenantSide{
		p: program{out: &said, errs: &said}, cfg: cfg, flags: tenantFlags{yes: true}, admin: admin, who: who, wanted: wantedOf(cfg), now: s.box.Clock.Now,
		tempo: tenant.Tempo{Now: s.box.Clock.Now, Wait: func(ctx context.Context, d time.Duration) error { return tenant.Wait(ctx, d/demoRate) }},
	}, &said, errors.Join(err, entering)
}

// printSetUp prints the first act.
func (p demoPrinter) printSetUp(text string, took time.Duration) error {
	if p.json {
		return json.NewEncoder(p.out).Encode(demoLine{Actor: administrator, Chat: atTerminal, Action: "tenant-apply", Text: text, MS: took.Milliseconds()})
	}
	_, err := fmt.Fprintf(p.out, "\nThe tenant is empty. Ada, an administrator, has it made as the settings declare.\n\n   %s in a terminal: elevate tenant apply -yes\n\n%s\n\n   Then she lets the groups sign in to Elevate. %d ms.\n",
		administrator, framed(text), took.Milliseconds())
	return err
}
