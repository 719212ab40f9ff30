package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/template"

	"github.com/peterbourgon/ff/v3/ffcli"
	"golang.org/x/term"

	"elevate/internal/config"
)

//go:embed init.yaml.tmpl
var initYAML string

// tier is one of the design's three.
type tier struct {
	Word, Name, Title, Gives, Defender, Why string
	Group, People, PeopleAre                string
	Default, Max                            string
	Approval                                bool
}

var tiers = []tier{
	{
		Word: "analyst", Name: "mde-analyst", Title: "MDE Analyst", Gives: "Day-to-day access to Microsoft Defender", Defender: "MDE Analyst",
		Why:   "Day-to-day work: no approval, but a reason, an end and a record.",
		Group: "Role_MDE Analyst", People: "PIM MDE Analyst", PeopleAre: "May activate MDE Analyst", Default: "4h", Max: "10h",
	},
	{
		Word: "liveresponse", Name: "mde-liveresponse", Title: "MDE Live Response", Gives: "Live response on devices", Defender: "MDE Live Response",
		Why:   "Commands on devices: somebody else approves.",
		Group: "Role_MDE Live Response", People: "PIM MDE Live Response", PeopleAre: "May activate MDE Live Response", Default: "1h", Max: "4h", Approval: true,
	},
	{
		Word: "admin", Name: "mde-admin", Title: "MDE Administrator", Gives: "Microsoft Defender for Endpoint administrator",
		Defender: "Microsoft Defender for Endpoint administrator (default)", Why: "Everything in Defender for Endpoint: somebody else approves.",
		Group: "Role_MDE Administrator", People: "PIM MDE Administrator", PeopleAre: "May activate MDE Administrator", Default: "1h", Max: "8h", Approval: true,
	},
}

// initFlags are what `tenant init` would otherwise ask.
type initFlags struct {
	out, like, tiers, approvers, people string
	tenant, client, publicURL           string
}

func (p program) tenantInitCommand() *ffcli.Command {
	var f initFlags
	set := p.flags("init")
	set.StringVar(&f.out, "out", "elevate.yaml", "the `FILE` to write, which must not be there yet; - is standard output")
	set.StringVar(&f.like, "like", "", "settings `FILE` to take everything but tenant: and roles: from")
	set.StringVar(&f.tiers, "tiers", "", "the `TIERS` to write, of analyst, liveresponse and admin, separated by commas; without it, questions are asked")
	set.StringVar(&f.approvers, "approvers", "", "who approves, by `NAMES`: user principal names or object ids, separated by commas")
	set.StringVar(&f.people, "people", "", "who may ask for the roles, by `NAMES` as for -approvers")
	set.StringVar(&f.tenant, "tenant", "", "the tenant's `ID`")
	set.StringVar(&f.client, "client", "", "the client `ID` of the app that people sign in to")
	set.StringVar(&f.publicURL, "public-url", "", "the `URL` under which Slack, Teams and browsers reach Elevate")
	return &ffcli.Command{
		Name: "init", ShortUsage: "elevate tenant init [-out FILE] [-tiers LIST] [-approvers NAMES] [flags]", FlagSet: set,
		ShortHelp: "write a commented settings file with three tiers to begin with",
		Exec: func(_ context.Context, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			if f.out != "-" {
				if _, err := os.Lstat(f.out); err == nil { // said before anything is asked
					return errExists(f.out)
				}
			}
			if err := p.fill(&f); err != nil {
				return err
			}
			content, err := renderInit(f)
			if err != nil {
				return err
			}
			if err := p.writeOut(f.out, content); err != nil {
				return err
			}
			if f.out != "-" {
				fmt.Fprintf(p.errs, "Read it, fill in what is left, then: elevate tenant plan -config %s\n", shellWord(f.out))
			}
			return nil
		},
	}
}

// question is one thing that `tenant init` is told by a flag, or asks.
type question struct {
	flag, text, usual string
	into              *string
	ofLike            bool // the file of -like says it
	wrong             func(string) error
}

func (f *initFlags) questions() []question {
	id := func(text string) error {
		if text == zeroID { // to be filled in later
			return nil
		}
		return sentence(text, config.Wrong("guid", text))
	}
	people := func(text string) error {
		_, err := principals(text)
		return err
	}
	return []question{
		{"tenant", "The tenant's id (Entra admin center, Overview)", zeroID, &f.tenant, true, id},
		{"client", "The client id of the app that people sign in to, if it is registered already", zeroID, &f.client, true, id},
		{
			"public-url", "The address under which Slack, Teams and browsers will reach Elevate", exampleURL, &f.publicURL, true,
			func(text string) error { return sentence(text, config.Wrong("public", text)) },
		},
		{"tiers", "Which tiers, of analyst, liveresponse and admin", "analyst,liveresponse,admin", &f.tiers, false, func(text string) error {
			_, err := chosenTiers(text)
			return err
		}},
		{"approvers", "Who approves: at least two user principal names or object ids, separated by commas", "", &f.approvers, false, people},
		{"people", "Who may ask, named in the same way; leave it empty to look after the groups in Entra", "", &f.people, false, people},
	}
}

// sentence is what is wrong with a text, or nothing.
func sentence(text, wrong string) error {
	if wrong == "" {
		return nil
	}
	return usagef("%q %s", text, wrong)
}

// fill looks at what the flags say and, where they leave the tiers open, asks for the rest.
func (p program) fill(f *initFlags) error {
	asks, in := f.tiers == "", bufio.NewReader(p.in)
	for _, q := range f.questions() {
		if *q.into != "" {
			if err := q.wrong(*q.into); err != nil {
				return usagef("-%s: %v", q.flag, err)
			}
			continue
		}
		if !asks || (q.ofLike && f.like != "") {
			continue
		}
		if err := p.ask(in, q); err != nil {
			return err
		}
	}
	return nil
}

// ask asks until the answer can be used. Where nobody sits at a terminal to be asked again, one that cannot is an error.
func (p program) ask(in *bufio.Reader, q question) error {
	text := q.text
	if q.usual == zeroID {
		text += " [to be filled in later]"
	} else if q.usual != "" {
		text += " [" + q.usual + "]"
	}
	for {
		fmt.Fprint(p.errs, text+": ")
		line, err := in.ReadString('\n')
		if err != nil && (!errors.Is(err, io.EOF) || line == "") {
			fmt.Fprintln(p.errs)
			return errors.New("the questions were not answered, so nothing was written; answer them, or give -tiers and the other flags")
		}
		*q.into = cmp.Or(strings.TrimSpace(line), q.usual)
		wrong := error(nil)
		if *q.into != "" {
			wrong = q.wrong(*q.into)
		}
		switch {
		case wrong == nil:
			return nil
		case !p.interactive():
			return fmt.Errorf("%w Nothing was written", wrong)
		}
		fmt.Fprintf(p.errs, "  %v\n", wrong)
	}
}

// interactive reports whether somebody sits at a terminal and can be asked again.
func (p program) interactive() bool {
	f, ok := p.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// zeroID stands where an id has to be filled in; the settings are refused with it.
const zeroID = "00000000-0000-0000-0000-000000000000"

const exampleURL = "https://" + exampleHost

// initContent is what the template is filled with.
type initContent struct {
	Kept                      string // of the file that is copied
	Tenant, Client, PublicURL string
	AdminClient               string
	Tiers                     []tier
	Approval                  bool
	Approvers, People         []string
	Ask, Notify               string
}

func renderInit(f initFlags) ([]byte, error) {
	c := initContent{Tenant: cmp.Or(f.tenant, zeroID), Client: cmp.Or(f.client, zeroID), PublicURL: cmp.Or(f.publicURL, exampleURL)}
	var err error
	if c.Tiers, err = chosenTiers(f.tiers); err != nil {
		return nil, err
	}
	for _, list := range []struct {
		text string
		into *[]string
	}{{f.approvers, &c.Approvers}, {f.people, &c.People}} {
		if *list.into, err = principals(list.text); err != nil {
			return nil, err
		}
	}
	c.Approval = slices.ContainsFunc(c.Tiers, func(t tier) bool { return t.Approval })
	if f.like != "" {
		if err := c.keep(f.like); err != nil {
			return nil, err
		}
	}
	t, err := template.New("init").Funcs(template.FuncMap{"q": quotedYAML, "list": listYAML}).Parse(initYAML)
	if err != nil {
		return nil, fmt.Errorf("reading the template of the settings: %w", err)
	}
	var out bytes.Buffer
	err = t.Execute(&out, c)
	return out.Bytes(), err
}

func chosenTiers(text string) ([]tier, error) {
	var chosen []tier
	for word := range strings.SplitSeq(text, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		i := slices.IndexFunc(tiers, func(t tier) bool { return t.Word == word || t.Name == word })
		if i < 0 {
			return nil, usagef("there is no tier %q; there are analyst, liveresponse and admin, separated by commas.", word)
		}
		if !slices.ContainsFunc(chosen, func(t tier) bool { return t.Word == tiers[i].Word }) {
			chosen = append(chosen, tiers[i])
		}
	}
	return chosen, nil
}

func principals(text string) ([]string, error) {
	var list []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
		case config.Wrong("principal", name) != "":
			return nil, sentence(name, config.Wrong("principal", name))
		default:
			list = append(list, name)
		}
	}
	return list, nil
}

// keep takes over another file but for its sections tenant: and roles:, word for word and with its comments.
func (c *initContent) keep(path string) error {
	content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("reading the settings to begin with: %w", err)
	}
	like, err := config.Load(path, func(string) (string, bool) { return "", false }, os.ReadFile, config.NoSecrets(), config.MayHaveNoRoles())
	if err != nil {
		return err
	}
	if like.Tenant.ClientID != config.GraphCommandLine {
		c.AdminClient = like.Tenant.ClientID
	}
	if like.Slack != nil {
		for _, r := range like.Roles { // channels are the installation's, not the roles'
			c.Ask, c.Notify = cmp.Or(c.Ask, r.Ask.Slack), cmp.Or(c.Notify, r.Notify.Slack)
		}
	}
	var kept []string
	leaving := false
	for line := range strings.SplitSeq(strings.TrimRight(string(content), "\n"), "\n") {
		if top := line != "" && !strings.ContainsAny(line[:1], " \t#-"); top {
			leaving = strings.HasPrefix(line, "tenant:") || strings.HasPrefix(line, "roles:")
		}
		if !leaving {
			kept = append(kept, line)
		}
	}
	c.Kept = strings.Join(kept, "\n")
	return nil
}
