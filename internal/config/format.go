package config

import (
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"elevate/internal/pim"
)

// format checks one text. It returns what is wrong as the rest of a sentence that begins with the key, or nothing.
type format func(c *Config, text string) string

// formats are the words of the tag `check`.
var formats = map[string]format{
	"guid": guid,
	"slackclient": shaped(`^\d+\.\d+$`,
		"is not a Slack client id. Copy it from the app's page Basic Information and put it into quotes, as in '123.456'."),
	"team": shaped(`^[TE][A-Z0-9]{2,20}$`,
		"is not a workspace's id (T…) or an Enterprise organisation's (E…). Copy it from the address that Slack has in a browser."),
	"channel": shaped(`^[CG][A-Z0-9]{2,20}$`,
		"is not a Slack channel's id. Write the id, as in C0123456789, which stands at the end of the channel's details, not the name."),
	"conversation": shaped(`^19:[A-Za-z0-9_:+=.-]{1,200}@[a-z0-9.]{1,40}$`,
		"is not a Teams conversation's id. Write it as in 19:…@thread.tacv2, whole; it stands in the channel's link, where %3A is the colon and %40 the @."),
	"schedule": shaped(`^[A-Z0-9]{3,20}$`,
		"is not a PagerDuty schedule's id. Copy it from the end of the schedule's address, as in P123ABC."),
	"context": shaped(`^(c[1-9][0-9]?)?$`,
		"is not an authentication context. Write c1 to c99, or '' for none."),
	"attribute": shaped(`^(none|employeeId|onPremisesImmutableId|extensionAttribute([1-9]|1[0-5])|extension_[0-9a-f]{32}_\w{1,120})$`,
		"is not an attribute that can tell a person. Write none, employeeId, onPremisesImmutableId, extensionAttribute1 to extensionAttribute15, or a directory extension's whole name."),
	"line":  lineUpTo(200),
	"title": lineUpTo(75),
	"group": groupName, "approver": groupOrPerson,
	"role":        roleName,
	"principal":   principal,
	"adminclient": adminClient,

	"address":  listenAddress,
	"private":  privateAddress,
	"absolute": absolutePath,
	"socket":   socketPath,

	"public":       publicURL,
	"sandboxclock": sandboxClock,
	"authority":    ofCloud(authorityHosts, true),
	"graph":        ofCloud(graphHosts, true),
	"slackapi":     ofCloud(slackHosts, false),
	"botframework": ofCloud(botFrameworkHosts, false),
	"connector":    ofCloud(connectorHosts, false),
	"pagerduty":    ofCloud(pagerDutyHosts, true),
	"ping":         pingURL,
}

// Wrong says what is wrong with a text that is to become a setting with that word in its tag check, as the rest of a sentence,
// or nothing.
func Wrong(word, text string) string { return formats[word](&Config{}, text) }

// guid takes no GUID of zeros, which stands in examples where the own one has to be put.
func guid(_ *Config, text string) string {
	if strings.Trim(text, "0-") == "" {
		return "is a placeholder. Copy the id as Entra shows it."
	}
	if !pim.IsGUID(text) {
		return "is not a GUID. Copy the id as Entra shows it, as in 11111111-2222-3333-4444-555555555555."
	}
	return ""
}

var upn = regexp.MustCompile(`^[^@\s'"]{1,64}@[A-Za-z0-9.-]{1,255}$`)

func principal(_ *Config, text string) string {
	if pim.IsGUID(text) || upn.MatchString(text) {
		return ""
	}
	return "is neither a user principal name nor an object id. Write one of the two, as in alice@contoso.com."
}

// azureCLI is the Azure CLI's client id, which is the same in every tenant.
const azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

// adminClient refuses clients that administrators must not, or cannot, set PIM up through.
func adminClient(c *Config, text string) string {
	switch {
	case strings.EqualFold(text, azureCLI):
		return "is the Azure CLI's client, which cannot call PIM: Microsoft gave it none of PIM's permissions and nobody can add them " +
			"(AADSTS65002, PermissionScopeNotGranted). Remove the key, which takes Microsoft Graph Command Line Tools, or name a public client of your own."
	case strings.EqualFold(text, c.Entra.ClientID), c.Teams != nil && strings.EqualFold(text, c.Teams.AppID):
		return "is one of the bot's own registrations. Never the bot's registration: its consents stay as they are, and it gets no permission to write. " +
			"Remove the key, which takes Microsoft Graph Command Line Tools, or name another client."
	}
	return ""
}

func shaped(pattern, sentence string) format {
	expression := regexp.MustCompile(pattern)
	return func(_ *Config, text string) string {
		if expression.MatchString(text) {
			return ""
		}
		return sentence
	}
}

// lineUpTo checks what cards show: one line, and short enough for the smallest field of both chats that shows it.
func lineUpTo(most int) format {
	return func(_ *Config, text string) string {
		switch {
		case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
			return "must be one line of text. Remove line breaks and control characters."
		case utf8.RuneCountInString(text) > most:
			return "is longer than " + strconv.Itoa(most) + " characters. Shorten it."
		}
		return ""
	}
}

// groupName takes no user principal name: a group of that name would be made for it.
func groupName(c *Config, text string) string {
	if strings.Contains(text, "@") && !strings.Contains(text, " ") {
		return "names a person, and groups alone can stand here. Name a group that the person is in; where a group is really called so, write its object id."
	}
	return groupOrPerson(c, text)
}

func groupOrPerson(c *Config, text string) string {
	if strings.TrimSpace(text) != text || text == "" {
		return "must be a group's name or object id, without spaces around it."
	}
	return lineUpTo(256)(c, text)
}

// grammar are the words that begin a time behind a role; the verbs are pim's.
var grammar = []string{"for", "until", "from", "in"}

var roleShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,30}$`)

func roleName(_ *Config, text string) string {
	if !roleShape.MatchString(text) {
		return "must be 2 to 31 small letters, digits and dashes, and not begin with a dash, as in mde-admin."
	}
	if pim.Reserved(text) || slices.Contains(grammar, text) {
		return "is a word of the command itself. Choose another name."
	}
	return ""
}

func listenAddress(c *Config, text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "is not an address to listen on. Write host and port, as in 127.0.0.1:8080."
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "must end with a port from 1 to 65535, as in 127.0.0.1:8080."
	}
	if c.Sandbox && !isLoopback(host) {
		return "must be on this machine (127.0.0.1, ::1 or localhost) because sandbox is true."
	}
	return ""
}

// privateAddress keeps health and metrics off the public side. No host would mean every interface.
func privateAddress(_ *Config, text string) string {
	host, _, err := net.SplitHostPort(text)
	if err != nil || !isLoopback(host) && !isPrivate(host) {
		return "must be a loopback or private address, as in 127.0.0.1:9090, because it shows health and metrics to everybody who reaches it."
	}
	return ""
}

func absolutePath(_ *Config, text string) string {
	if !filepath.IsAbs(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "must be an absolute path, as in /var/lib/elevate/elevate.db."
	}
	return ""
}

// socketPath keeps the path within what the kernel can bind: 108 bytes with the zero at the end.
func socketPath(_ *Config, text string) string {
	if len(text) > 107 {
		return "is longer than the 107 bytes that a socket's path can have. Choose a shorter one."
	}
	return ""
}
