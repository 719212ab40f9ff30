package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// The hosts of the clouds that are known. A setting that names another host would send tokens or people there.
var (
	authorityHosts = []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
	graphHosts     = []string{
		"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn",
	}
	slackHosts        = []string{"slack.com", "slack-gov.com"}
	botFrameworkHosts = []string{"login.botframework.com", "login.botframework.azure.us"}
	connectorHosts    = []string{
		"smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com",
		"smba.infra.gov.teams.microsoft.us", "smba.infra.dod.teams.microsoft.us",
	}
	pagerDutyHosts = []string{"api.pagerduty.com", "api.eu.pagerduty.com"}
)

// ConnectorHosts are the hosts of the Bot Connector: those alone are sent the bot's token.
func ConnectorHosts() []string { return slices.Clone(connectorHosts) }

// BotFrameworkHosts are the hosts whose keys the Bot Framework signs with.
func BotFrameworkHosts() []string { return slices.Clone(botFrameworkHosts) }

// graphsOf says which of Graph's hosts belong to an authority's cloud.
var graphsOf = map[string][]string{
	"login.microsoftonline.com":        {"graph.microsoft.com"},
	"login.microsoftonline.us":         {"graph.microsoft.us", "dod-graph.microsoft.us"},
	"login.partner.microsoftonline.cn": {"microsoftgraph.chinacloudapi.cn"},
}

// ofCloud makes the check of an address that must be one of the known hosts', or this machine's in the sandbox.
func ofCloud(hosts []string, bare bool) format {
	return func(c *Config, text string) string {
		address, wrong := parseURL(c, text)
		switch {
		case wrong != "":
			return wrong
		case c.Sandbox:
			return ""
		case !slices.Contains(hosts, address.Host):
			return "is not an address of a known cloud. Its host must be " + oneOf(hosts) + "; other hosts are for sandbox: true."
		case bare && strings.Trim(address.Path, "/") != "":
			return "must be an address without a path, as in https://" + hosts[0] + "."
		}
		return ""
	}
}

// publicURL checks the address that Slack, Teams and browsers use. Its paths are fixed, and its cookies want the root.
func publicURL(c *Config, text string) string {
	address, wrong := parseURL(c, text)
	if wrong != "" {
		return wrong
	}
	if strings.Trim(address.Path, "/") != "" {
		return "must be an address without a path, as in https://elevate.example.com."
	}
	return ""
}

// sandboxClock checks the address of a clock that can be moved, which a real installation must not have.
func sandboxClock(c *Config, text string) string {
	if !c.Sandbox {
		return "is for sandbox: true only. Remove it."
	}
	_, wrong := parseURL(c, text)
	return wrong
}

// pingURL checks an address that is only called: whoever gives it out says what its host and query are.
func pingURL(c *Config, text string) string {
	_, wrong := parseCalled(c, text)
	return wrong
}

// parseURL takes https addresses; in the sandbox also http, and this machine's only.
func parseURL(c *Config, text string) (*url.URL, string) {
	address, err := url.Parse(text)
	if err == nil && address.Hostname() != "" && (address.User != nil || address.RawQuery != "" || address.ForceQuery || address.Fragment != "") {
		return nil, "must be an address without a user, a query and a fragment. Remove them."
	}
	return parseCalled(c, text)
}

// parseCalled takes what parseURL takes, and a query.
func parseCalled(c *Config, text string) (*url.URL, string) {
	address, err := url.Parse(text)
	if err != nil || address.Hostname() == "" || address.Opaque != "" {
		return nil, "is not an address. Write it in full, as in https://elevate.example.com."
	}
	if address.User != nil || address.Fragment != "" {
		return nil, "must be an address without a user and a fragment. Remove them."
	}
	switch {
	case c.Sandbox && !isLoopback(address.Hostname()):
		return nil, "must be on this machine (127.0.0.1, ::1 or localhost) because sandbox is true."
	case address.Scheme == "https", c.Sandbox && address.Scheme == "http":
		return address, ""
	}
	return nil, "must begin with https://."
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// sharedAddresses is the space that providers and some Kubernetes networks use inside (RFC 6598). It is not routed.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && (address.Unmap().IsPrivate() || sharedAddresses.Contains(address.Unmap()))
}

func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
