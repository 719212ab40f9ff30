package entra

import (
	"context"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/auditlogs"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// auditCalls is how often the audit log is asked in one reading, and auditRows how much of it comes at a time. Entra takes
// five calls in ten seconds from an application: https://learn.microsoft.com/graph/throttling-limits
const (
	auditCalls = 4
	auditRows  = 999
)

// Audited reads what Entra's audit log has of a group from a time on, oldest first, with the application's own identity.
func (c *Client) Audited(ctx context.Context, group pim.GroupID, since time.Time) (pim.Audited, error) {
	var log pim.Audited
	page := func(body []byte) (string, error) {
		log.Calls++
		next, err := takePage(c, body, models.CreateDirectoryAuditCollectionResponseFromDiscriminatorValue, func(row models.DirectoryAuditable) error {
			if e, ok := auditEntry(row); ok {
				log.Entries = append(log.Entries, e)
			}
			return nil
		})
		if log.Cut = next != "" && log.Calls == auditCalls; log.Cut {
			next = ""
		}
		return next, err
	}
	r, err := c.auditReading(ctx, group, since, "activityDateTime", auditRows, page)
	if err != nil {
		return pim.Audited{}, err
	}
	read := rounds{client: c, queue: []*reading{r}}
	if err := read.run(ctx); err != nil {
		return pim.Audited{}, err
	}
	if len(read.failed) > 0 {
		return pim.Audited{}, read.failed[0]
	}
	return log, nil
}

// auditReading asks for the rows about a group. Each page goes to take.
// https://learn.microsoft.com/graph/api/directoryaudit-list
func (c *Client) auditReading(ctx context.Context, group pim.GroupID, since time.Time, order string, most int32, take func(body []byte) (string, error)) (*reading, error) {
	filter := "activityDateTime ge " + since.UTC().Format("2006-01-02T15:04:05Z") + " and targetResources/any(t:t/id eq " + quoted(group) + ")"
	info, err := auditlogs.NewAuditLogsRequestBuilderInternal(c.questions.root(), c.questions.adapter).DirectoryAudits().
		ToGetRequestInformation(ctx, &auditlogs.DirectoryAuditsRequestBuilderGetRequestConfiguration{
			QueryParameters: &auditlogs.DirectoryAuditsRequestBuilderGetQueryParameters{Filter: &filter, Orderby: []string{order}, Top: &most},
		})
	r, err := c.newReading("audits", info, err)
	if err == nil {
		r.take = take
	}
	return r, err
}

// auditEntry reads a row; one of what failed, or without an id or a time, is none.
func auditEntry(row models.DirectoryAuditable) (pim.AuditEntry, bool) {
	e := pim.AuditEntry{
		ID: str(row.GetId()), At: at(row.GetActivityDateTime()), Activity: str(row.GetActivityDisplayName()),
		OfPIM: ofPIM(str(row.GetLoggedByService())), Reason: str(row.GetResultReason()), ByPIM: byPIM(row),
	}
	if by := row.GetInitiatedBy(); by != nil && by.GetUser() != nil {
		e.By = pim.NewPrincipalID(str(by.GetUser().GetId()))
		e.Name = str(by.GetUser().GetDisplayName())
		if e.Name == "" {
			e.Name = str(by.GetUser().GetUserPrincipalName())
		}
	} else if by != nil && by.GetApp() != nil {
		e.Name = str(by.GetApp().GetDisplayName())
	}
	for _, d := range row.GetAdditionalDetails() {
		if d != nil && strings.EqualFold(str(d.GetKey()), "RoleAssignmentRequestId") {
			e.Request = str(d.GetValue())
		}
	}
	for _, target := range row.GetTargetResources() {
		if target != nil {
			e.About = append(e.About, strings.ToLower(str(target.GetId())))
		}
	}
	done := row.GetResult() != nil && *row.GetResult() == models.SUCCESS_OPERATIONRESULT
	return e, done && e.ID != "" && !e.At.IsZero()
}

// ofPIM reports whether PIM wrote a row. The documents have its long name, rows the short one.
func ofPIM(service string) bool {
	return strings.EqualFold(service, "PIM") || strings.EqualFold(service, "Privileged Identity Management")
}

// pimApp is PIM's own client id, the same in every tenant.
const pimApp = "01fc33a7-78ba-4d2f-a4b7-768e336e890e"

// byPIM reports whether PIM did it. Rows seen leave its client id out; an application that only has its name says its own.
func byPIM(row models.DirectoryAuditable) bool {
	if row.GetInitiatedBy() == nil || row.GetInitiatedBy().GetApp() == nil {
		return false
	}
	app := row.GetInitiatedBy().GetApp()
	id := str(app.GetAppId())
	return strings.EqualFold(id, pimApp) || (id == "" && str(app.GetDisplayName()) == "MS-PIM")
}
