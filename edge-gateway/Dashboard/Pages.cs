using System.Text;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Hosting;
using Microsoft.AspNetCore.Authentication;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>The dashboard's files, which lie in the program, and its login.</summary>
internal static class Pages
{
    private const int MaxForm = 8 * 1024;

    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication app)
    {
        app.MapGet("/", () => Page("dashboard.html", "text/html"));
        app.MapGet("/dashboard.css", () => Page("dashboard.css", "text/css"));
        app.MapGet("/dashboard.js", () => Page("dashboard.js", "text/javascript"));
        app.MapGet("/favicon.svg", () => Page("favicon.svg", "image/svg+xml"));
        app.MapGet("/login", (GatewayConfiguration configuration) => Login(configuration.Current.Http, "", 200));
        app.MapPost("/login", LogInAsync);
        app.MapPost("/logout", async (HttpContext http, AuditTrail audit) =>
        {
            if (http.User.Identity?.Name is { } user) audit.LoggedOut(user, http.Connection.RemoteIpAddress);
            await http.SignOutAsync(Sessions.Scheme);
            return Results.Redirect("/login");
        });
        app.MapGet("/login/oidc", (HttpContext http, OidcLogin oidc) => oidc.BeginAsync(http));
        // A redirect from another site would not carry the new cookie, which is SameSite=Strict; a page of the gateway that redirects does.
        app.MapGet(OidcLogin.DonePath, () => Results.Text("<!doctype html><html lang=\"en\"><meta http-equiv=\"refresh\" content=\"0;url=/\">"
            + "<title>DICOM gateway</title><p><a href=\"/\">Go on</a></p></html>", "text/html", Encoding.UTF8));
    }

    /// <summary>The login page with a message.</summary>
    public static IResult Login(HttpOptions options, string message, int status)
    {
        var page = new StringBuilder(Text("login.html"));
        page.Replace("<!--message-->", message.Length > 0 ? $"<p class=\"alert\" role=\"alert\">{System.Net.WebUtility.HtmlEncode(message)}</p>" : "");
        Keep("password", options.PasswordHash.Length > 0);
        Keep("oidc", options.Oidc.Authority.Length > 0);
        return Results.Text(page.ToString(), "text/html", Encoding.UTF8, status);

        void Keep(string part, bool isKept)
        {
            var text = page.ToString();
            var (begin, end) = (text.IndexOf($"<!--{part}-->", StringComparison.Ordinal), text.IndexOf($"<!--/{part}-->", StringComparison.Ordinal));
            if (!isKept) page.Remove(begin, end - begin);
        }
    }

    private static async Task<IResult> LogInAsync(HttpContext http, GatewayConfiguration configuration, Passwords passwords, Sessions sessions,
        AccessControl access, AuditTrail audit)
    {
        var options = configuration.Current.Http;
        if (http.Request.ContentLength is not <= MaxForm || !http.Request.HasFormContentType) return Login(options, "Fill in user and password.", 400);
        IFormCollection form;
        try
        {
            form = await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException)
        {
            return Login(options, "Fill in user and password.", 400);
        }
        var user = form["user"].ToString();
        var outcome = await passwords.CheckAsync(user, form["password"].ToString(), http.Connection.RemoteIpAddress, options, http.RequestAborted);
        audit.LoggedIn(user, http.Connection.RemoteIpAddress, outcome == PasswordOutcome.Right);
        if (outcome == PasswordOutcome.Wait)
        {
            access.TooOften(http); // for its header
            return Login(options, "Too many attempts. Wait a little, then try again.", 429);
        }
        if (outcome != PasswordOutcome.Right) return Login(options, "User or password is wrong.", 401);
        await sessions.BeginAsync(http, user);
        return Results.Redirect("/");
    }

    private static IResult Page(string name, string type) => Results.Text(Text(name), type, Encoding.UTF8);

    private static string Text(string name)
    {
        using var reader = new StreamReader(typeof(Pages).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The program has "
            + $"no {name}."));
        return reader.ReadToEnd();
    }
}
