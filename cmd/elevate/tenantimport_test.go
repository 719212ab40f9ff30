package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// Names in a directory are anybody's: what import writes of them must be settings again, and say the same.
func TestWhatIsImportedLoadsWhateverTheNames(t *testing.T) {
	t.Parallel()
	begin, err := os.ReadFile(filepath.Join("..", "..", "internal", "config", "testdata", "complete.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	begin = begin[:bytes.Index(begin, []byte("\nroles:"))+1]
	const group, people = "0000000a-0000-4000-8000-000000000001", pim.PrincipalID("0000000a-0000-4000-8000-000000000002")
	for _, name := range []string{
		"Role_Plain", `it's "quoted"`, "a: b", "# no comment", "- item", "{x: 1}", "line\nroles: []", "bell\a, zero\x00 and \x7f", "  spaces  ", "two\u2028lines\u0085more",
		"null", "12", "alice@contoso.com", "\xff\xfe", "\ufeffmark", "for", "until", "*anchor", "%tag", "", "emoji 🚒", "'", "a\\", "0000000a-0000-4000-8000-000000000009",
	} {
		for _, context := range []string{"", "c1", "c1', mfa: true}\n", "'"} {
			byName := config.Wrong("group", name) == "" && !pim.IsGUID(name)
			names := map[pim.PrincipalID]principal{people: {name, true, byName}}
			var out bytes.Buffer
			out.Write(begin)
			out.WriteString("roles:\n")
			writeRole(&out, tenant.Found{ID: group, Name: name, Description: name + name, Assignable: true}, tenant.Details{
				Eligible: []tenant.Eligible{{Principal: people}, {Principal: "somebody"}},
				Policy: &tenant.Policy{Policy: pim.Policy{
					MaxDuration: 30 * time.Minute, Justification: true, Approval: true, Ticketing: true, MFA: true, Context: context, ApproverGroups: []pim.GroupID{pim.GroupID(people)},
				}},
			}, names, proposed(name, map[string]bool{}))
			path := filepath.Join(t.TempDir(), "elevate.yaml")
			if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(path, func(string) (string, bool) { return "", false }, os.ReadFile, config.NoSecrets())
			if err != nil {
				t.Fatalf("%q: %v\n%s", name, err, out.Bytes()[len(begin):])
			}
			want := string(people)
			if byName {
				want = name
			}
			if r := cfg.Roles[0]; len(cfg.Roles) != 1 || r.Group != group || r.Eligible[0] != want || r.Approvers[0] != want || len(r.Eligible)+len(r.Approvers) != 2 {
				t.Errorf("%q: %+v", name, r)
			}
		}
	}
}

func TestImportedCommentsShowWhatTheyHold(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	writeRole(&out, tenant.Found{ID: "0000000a-0000-4000-8000-000000000001", Name: "Role \u202enimdA\u200b"}, tenant.Details{}, nil, "role")
	if strings.ContainsAny(out.String(), "\u202e\u200b") || !strings.Contains(out.String(), "# Role nimdA") {
		t.Errorf("%q", out.String())
	}
}
