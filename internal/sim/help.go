package sim

import "strings"

// helpLines are the language of acts, one form a line.
var helpLines = []string{
	"PERSON slack /elevate WORDS                       a slash command in the general channel",
	"PERSON slack in #CHANNEL|dm /elevate WORDS        a slash command elsewhere",
	"PERSON slack click LABEL [on WORDS] [in #CHANNEL|dm|home|form] [option=…] [reason WORDS] [dismiss]",
	"PERSON slack fill FIELD=VALUE …                   fills in the open form and submits it",
	"PERSON slack submit | close                       submits the open form as it is, or closes it",
	"PERSON slack sees [#CHANNEL|dm|home|form|slack] [until WORDS] [within 30s]",
	"PERSON slack home                                 opens the Home tab",
	"PERSON slack again                                delivers the last command or click once more",
	"PERSON slack forge signature|stale|future|team|app|garbage|huge|replay   delivers it once more with something wrong",
	"PERSON slack account deleted|restricted|ultra_restricted|stranger|bot|invited|active   changes how the person stands in the workspace",
	"PERSON teams /elevate WORDS                       in the personal chat with the bot, as does: say WORDS",
	"PERSON teams in #CHANNEL|CHAT @Elevate WORDS      with the bot's mention; /elevate WORDS: a slash command, answered privately",
	"PERSON teams click LABEL [on WORDS] [in #CHANNEL|CHAT|dm] [FIELD=VALUE …] [reason WORDS]",
	"PERSON teams fill FIELD=VALUE …                   fills in the newest form that has the fields, and sends it",
	"PERSON teams sees [#CHANNEL|CHAT|dm|teams] [until WORDS] [within 30s]",
	"PERSON teams install | uninstall [in #CHANNEL|CHAT]   adds the app, or takes it away; block | unblock",
	"PERSON teams join|leave in #CHANNEL|CHAT",
	"PERSON teams again                                delivers the last message or click once more",
	"PERSON teams forge none|hs256|tampered|key|endorsement|issuer|audience|service|noservice|elsewhere|expired|future|noexp|missing|scheme|tenant|channel|bot|garbage|huge|deep|replay",
	"PERSON teams forge data FIELD=VALUE …             delivers the last click once more with changed data of the card's",
	"PERSON teams odd reaction|typing|unknown|entities|value|… [in #CHANNEL|CHAT]   sends what a bot has no use for",
	"PERSON teams account left|guest|anonymous|external|active   changes how the person stands in the tenant; client old|new",
	"PERSON web sign-in [as ACCOUNT] [slack-as PERSON] [of PERSON] [stop] [private]   follows the last link shown in a chat",
	"PERSON web LINK [as ACCOUNT] [slack-as PERSON] [stop] [private] [consent]   consent grants what an application asks for",
	"PERSON web device CODE [decline]                  enters a device code, signs in and consents, or does not",
	"PERSON web press LABEL | page | forget            presses a button of the page, shows it again, clears the cookies",
	"PERSON portal activate GROUP [DURATION] REASON    in the PIM portal; GROUP is a group or the words after Role_",
	"PERSON portal approve|deny REQUEST|PERSON [REASON]",
	"PERSON portal cancel REQUEST | release GROUP [REASON]",
	"PERSON portal revoke PERSON GROUP REASON | assign PERSON GROUP [DURATION] REASON   by an owner or administrator",
	"PERSON portal policy GROUP max 4h | approval|justification|ticket|mfa|permanent on|off | approver PERSON|GROUP …   changes a rule",
	"PERSON portal member|owner add|remove PERSON GROUP | nest GROUP in GROUP   changes who is in a group directly, or owns it",
	"PERSON portal eligible|uneligible PERSON|GROUP GROUP   gives or takes an eligibility for good",
	"PERSON portal defender GROUP ROLE                 gives the group a role in Microsoft Defender",
	"PERSON portal assign-app GROUP|PERSON             lets them sign in to the bot's registration, which wants it",
	"PERSON portal account PERSON disabled|enabled|revoked|removed",
	"clock [+1h] [x60]                                 shows the world's clock, moves it, changes its speed",
	"break slack [METHOD] 429|5xx|no|reset|slow [3] [after 5s]    makes calls fail, three times or until heal",
	"break graph|login [PATH] 429|5xx|no|reset|slow [3] [after 5s]",
	"break teams [send|reply|update|delete|create|members|member|metadata|keys] 429|5xx|no|reset|slow|401|403|404|413|CODE [3] [after 5s]",
	"break pagerduty [users|schedule] 429|5xx|no|reset|slow [3] [after 5s]",
	"heal                                              ends all faults",
	"graph members|active|requests [GROUP] | calls     what the directory holds, and how often Graph was called",
	"teams calls | findings                            how often the connector was called, and what no client would show",
	"pagerduty on-call PERSON …|nobody | calls         changes who is on call, or says how often PagerDuty was called",
	"pings                                             how often the bot said that it lives",
	"event url_verification | ssl_check | app_uninstalled | user_change PERSON | home on|off",
	"people                                            who there is, and what they may do",
	"tenant role-assignable N | write-limit N | new-group-lag 90s | onboarding-lag 1m | patch-answers 200|204   how the tenant behaves",
	"crowd NUMBER GROUP REASON                         so many newcomers ask for a group in the portal",
}

// Help lists the language of acts.
func Help() string { return strings.Join(helpLines, "\n") }

// unknown answers words that mean nothing with the line of the help that has most of them.
func unknown(words []string) error {
	best, most := helpLines[0], -1
	for _, line := range helpLines {
		if n := shared(line, words); n > most {
			best, most = line, n
		}
	}
	form, _, _ := strings.Cut(best, "  ") // without what it does
	return &UnknownError{Line: strings.Join(words, " "), Help: form}
}

// shared counts the words that a line of the help has in common with what was said; the verb counts most.
func shared(line string, words []string) int {
	form := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '|' })
	n := 0
	for i, word := range words {
		for j, known := range form {
			switch {
			case word == known && i == j:
				n += 6
			case word == known:
				n += 4
			case i == j && len(word) > 2 && len(known) > 2 && strings.EqualFold(word[:2], known[:2]):
				n++
			}
		}
	}
	return n
}
