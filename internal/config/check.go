package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"elevate/internal/secret"
)

// sandboxPrefix begins every secret of the sandbox, so that a real one cannot get into it.
const sandboxPrefix = "sandbox-"

// check looks at each value by itself, then at what they are together.
func (l *loader) check() {
	l.eachScalar(l.checkScalar)
	for _, together := range []func(){
		l.checkChats, l.checkListeners, l.checkPaths, l.checkClouds, l.checkCredentials, l.checkSlack, l.checkTeams, l.checkAnchor, l.checkTenant, l.checkRoles,
	} {
		together()
	}
	l.eachPlace(l.checkPlace)
}

// eachScalar visits every single value, those in lists too.
func (l *loader) eachScalar(visit func(path string, s setting)) {
	walk("", setting{value: reflect.ValueOf(l.config).Elem()}, visit)
}

func walk(path string, s setting, visit func(string, setting)) {
	switch {
	case isScalar(s.value.Type()):
		visit(path, s)
	case s.value.Kind() == reflect.Pointer && s.value.IsNil():
	case s.value.Kind() == reflect.Pointer:
		walk(path, setting{s.key, s.field, s.value.Elem()}, visit)
	case s.value.Kind() == reflect.Slice:
		for i := range s.value.Len() {
			walk(fmt.Sprintf("%s[%d]", path, i), setting{s.key, s.field, s.value.Index(i)}, visit)
		}
	default:
		for _, inner := range settings(s.value) {
			walk(join(path, inner.key), inner, visit)
		}
	}
}

func (l *loader) checkScalar(path string, s setting) {
	words := strings.Fields(s.field.Tag.Get("check"))
	if s.value.IsZero() && s.value.Kind() != reflect.Bool {
		if slices.Contains(words, "required") && !l.leaves(path, s) {
			l.failMissing(path)
		}
		return
	}
	switch value := s.value.Interface().(type) {
	case secret.Text:
		l.checkSecret(path, value, s.field.Tag.Get("begins"))
	default:
		if s.value.Kind() == reflect.String {
			l.checkText(path, s.value.String(), words, strings.Fields(s.field.Tag.Get("oneof")))
		}
	}
}

func (l *loader) failMissing(path string) {
	if strings.Contains(path, "[") {
		l.fail(path, "is missing. Write a value.")
		return
	}
	l.fail(path, "is missing. Set it here or as %s.", variableOf(path))
}

func (l *loader) checkText(path, text string, words, choices []string) {
	if len(choices) > 0 && !slices.Contains(choices, text) {
		l.fail(path, "must be %s.", oneOf(choices))
	}
	for _, word := range words {
		if word == "required" {
			continue
		}
		if wrong := formats[word](l.config, text); wrong != "" {
			l.fail(path, "%s", wrong)
			return
		}
	}
}

func (l *loader) checkSecret(path string, value secret.Text, begins string) {
	text := value.Reveal()
	switch {
	case path == "keyset": // a file of its own form, which keyset.Load checks
	case l.config.Sandbox && !strings.HasPrefix(text, sandboxPrefix):
		l.fail(path, "does not begin with %s, but sandbox is true. Keep real secrets out of the sandbox.", sandboxPrefix)
	case !l.config.Sandbox && begins != "" && !strings.HasPrefix(text, begins):
		l.fail(path, "is not the right token: it must begin with %s. Copy it again from the app's pages.", begins)
	}
}

func (l *loader) checkChats() {
	if l.config.Slack == nil && l.config.Teams == nil && !l.unread["teams"] {
		l.fail("slack", "is missing, and so is teams. Set up at least one of the two sections.")
	}
}

func (l *loader) checkListeners() {
	public, publicPort, err := net.SplitHostPort(l.config.Listen)
	admin, adminPort, err2 := net.SplitHostPort(l.config.ListenAdmin)
	if err != nil || err2 != nil || publicPort != adminPort {
		return
	}
	if public == admin || slices.Contains([]string{"", "0.0.0.0", "::"}, public) || isLoopback(public) && isLoopback(admin) {
		l.fail("listen_admin", "is the public address too. Give it another port than listen has.")
	}
}

func (l *loader) checkPaths() {
	c := l.config
	if c.AdminSocket == c.State {
		l.fail("admin_socket", "is the path of the state file. Choose another one.")
	}
	if c.Sandbox || c.KeysetFile == "" {
		return
	}
	// Who copies the state's folder, as a backup does, must not copy the key to it.
	inside, err := filepath.Rel(filepath.Dir(c.State), filepath.Dir(c.KeysetFile))
	if err == nil && inside != ".." && !strings.HasPrefix(inside, "../") {
		l.fail("keyset", "lies in the folder of the state file. Keep it elsewhere, best on another volume, so that no copy of the state holds its key.")
	}
}

func (l *loader) checkClouds() {
	authority, err := url.Parse(l.config.Entra.Authority)
	graph, err2 := url.Parse(l.config.Entra.Graph)
	if l.config.Sandbox || err != nil || err2 != nil || !slices.Contains(graphHosts, graph.Host) {
		return
	}
	if own, ok := graphsOf[authority.Host]; ok && !slices.Contains(own, graph.Host) {
		l.fail("entra.graph", "belongs to another cloud than entra.authority. The one that goes with it is https://%s.", own[0])
	}
}

func (l *loader) checkCredentials() {
	l.checkCredential("entra", l.config.Entra.Credential)
	if l.config.Teams != nil {
		l.checkCredential("teams", l.config.Teams.Credential)
	}
}

func (l *loader) checkCredential(path string, c Credential) {
	var given []string
	for key, set := range map[string]bool{
		"client_secret": !c.ClientSecret.IsZero(), "certificate": !c.Certificate.IsZero(), "federated": c.Federated != "",
	} {
		if set || l.failed[join(path, key)] || l.references[join(path, key)] != "" {
			given = append(given, key)
		}
	}
	slices.Sort(given)
	switch {
	case len(given) == 0 && l.keysetOnly: // it may be in the bot's environment
	case len(given) == 0:
		l.fail(path, "has no credential. Set one of client_secret, certificate and federated.")
	case len(given) > 1:
		l.fail(path, "has %d credentials: %s. Keep one of them.", len(given), strings.Join(given, ", "))
	case l.config.Sandbox && c.Federated != "":
		l.fail(join(path, "federated"), "is a real credential, but sandbox is true. Use client_secret there.")
	}
}

func (l *loader) checkSlack() {
	if s := l.config.Slack; s != nil && !l.keysetOnly && !s.SocketMode() && !l.failed["slack.app_token"] && s.SigningSecret.IsZero() {
		l.fail("slack.signing_secret", "is missing. Set it, or set slack.app_token for Socket Mode.")
	}
}

func (l *loader) checkTeams() {
	if t := l.config.Teams; t != nil {
		l.checkBot(t)
	}
	if l.failed["entra.tenant_id"] {
		return
	}
	if t := l.config.Teams; t != nil && !strings.EqualFold(t.TenantID, l.config.Entra.TenantID) {
		l.fail("teams.tenant_id", "differs from entra.tenant_id. Both must name the one tenant that people are in.")
	}
}

// checkBot refuses what would have the bot be somebody else, or be answered elsewhere.
func (l *loader) checkBot(t *Teams) {
	if strings.EqualFold(t.AppID, l.config.Entra.ClientID) && t.AppID != "" {
		l.fail("teams.app_id", "is that of entra.client_id. Register an application of its own for the bot: the other one may read your directory.")
	}
	if strings.EqualFold(t.AppID, t.TenantID) && t.AppID != "" {
		l.fail("teams.app_id", "is that of the tenant. Take the bot's Application (client) ID, which stands beside the Directory (tenant) ID in Entra.")
	}
	service, err := url.Parse(t.ServiceURL)
	metadata, err2 := url.Parse(t.OpenIDMetadata)
	if l.config.Sandbox || err != nil || err2 != nil {
		return
	}
	if path := strings.Trim(service.Path, "/"); path == "" || strings.Contains(path+"/", "v3/") {
		l.fail("teams.service_url", "must be the connector's address with its region, as in https://smba.trafficmanager.net/teams/.")
	}
	government := func(host string) bool { return strings.HasSuffix(host, ".us") }
	if government(service.Host) != government(metadata.Host) {
		l.fail("teams.openid_metadata", "is of another cloud than teams.service_url. The US government's are https://login.botframework.azure.us/v1/.well-known/openidconfiguration and https://smba.infra.gov.teams.microsoft.us/teams/.")
	}
}

// checkAnchor keeps an anchor in Teams away from where cards are clicked: which of the bot's messages there is to be drawn
// anew, a client says.
func (l *loader) checkAnchor() {
	at := l.config.Audit.Anchor.Teams
	if at == "" {
		return
	}
	for _, r := range l.config.Roles {
		if slices.Contains([]string{r.Ask.Teams, r.Notify.Teams, r.Remind.Escalate.Teams}, at) {
			l.fail("audit.anchor.teams", "is also where cards of %s stand, so that an anchor could be drawn over there. Choose a conversation of its own.", r.Name)
			return
		}
	}
}

// normalise brings addresses into the form that their users expect.
func (c *Config) normalise() {
	for _, bare := range []*string{&c.PublicURL, &c.Entra.Authority, &c.Entra.Graph} {
		*bare = strings.TrimRight(*bare, "/")
	}
	if c.Slack != nil {
		c.Slack.API = strings.TrimRight(c.Slack.API, "/") + "/"
	}
	if c.Teams != nil {
		c.Teams.ServiceURL = strings.TrimRight(c.Teams.ServiceURL, "/") + "/"
	}
	if c.OnCall.PagerDuty != nil {
		c.OnCall.PagerDuty.API = strings.TrimRight(c.OnCall.PagerDuty.API, "/")
	}
}
