using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Hosting;
using Microsoft.AspNetCore.Authentication;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// Decides which HTTP requests are allowed: health always; everything on loopback without a password; else with a session, HTTP Basic, or for the metrics a
/// token. Requests that change something must not come from pages of others.
/// </summary>
internal sealed class AccessControl(GatewayConfiguration configuration, Passwords passwords, AuditTrail audit)
{
    // The login page, its files, and the requests of a login.
    private static readonly HashSet<string> Open =
        new(StringComparer.Ordinal) { "/login", "/logout", "/login/oidc", OidcLogin.CallbackPath, OidcLogin.DonePath, "/dashboard.css", "/favicon.svg" };

    /// <summary>Lets a request through, or answers it.</summary>
    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var (request, options, path) = (http.Request, configuration.Current.Http, http.Request.Path.Value ?? "/");
        AddHeaders(http, path);
        if (path.StartsWith("/health/", StringComparison.Ordinal))
        {
            await next(http);
            return;
        }
        // DNS rebinding: a page of another site whose name was made to point here would count as the gateway's own.
        if (!options.IsProtected && !IsLoopbackHost(request.Host.Host))
        {
            await Answers.Problem(403, "Forbidden", "Without a password the gateway answers to localhost, 127.0.0.1 and [::1] only.").ExecuteAsync(http);
            return;
        }
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !IsSameOrigin(request))
        {
            await Answers.Problem(403, "Forbidden",
                "A request that changes something must come from the gateway's own pages, or from a program.").ExecuteAsync(http);
            return;
        }
        if (await http.AuthenticateAsync(Sessions.Scheme) is { Succeeded: true, Principal: var user }) http.User = user;
        else if (options.IsProtected && !Open.Contains(path) && !HasMetricsToken(request, path, options))
        {
            if (!await HasPasswordAsync(http, path, options)) return;
        }
        await next(http);
    }

    // Answers the request itself where the user is not known.
    private async Task<bool> HasPasswordAsync(HttpContext http, string path, HttpOptions options)
    {
        var request = http.Request;
        if (Credentials(request) is var (user, password))
        {
            var outcome = await passwords.CheckAsync(user, password, http.Connection.RemoteIpAddress, options, http.RequestAborted);
            if (outcome == PasswordOutcome.Right)
            {
                http.User = Sessions.PrincipalOf(user);
                return true;
            }
            audit.LoggedIn(user, http.Connection.RemoteIpAddress, isSuccess: false);
            if (outcome == PasswordOutcome.Wait)
            {
                await TooOften(http).ExecuteAsync(http);
                return false;
            }
        }
        if (path == "/")
        {
            http.Response.Redirect("/login");
            return false;
        }
        // Only programs are asked for Basic: a browser would cover the page with a login window.
        if (options.PasswordHash.Length > 0 && !request.Headers.ContainsKey("Sec-Fetch-Mode"))
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"DICOM gateway\", charset=\"UTF-8\"";
        await Answers.Problem(401, "Unauthorized", "Log in, or send user and password (RFC 7617).").ExecuteAsync(http);
        return false;
    }

    /// <summary>429 with the time to wait.</summary>
    public IResult TooOften(HttpContext http)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(passwords.WaitOf(http.Connection.RemoteIpAddress).TotalSeconds));
        http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Answers.Problem(429, "Too many attempts", $"Wait {seconds} s.");
    }

    private static void AddHeaders(HttpContext http, string path)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = path.StartsWith("/dashboard.", StringComparison.Ordinal) || path == "/favicon.svg" ? "no-cache" : "no-store";
        if (http.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
    }

    private static bool IsLoopbackHost(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    // Browsers say where a request comes from; programs say nothing, and have no cookies of others.
    private static bool IsSameOrigin(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [{ } site]) return site is "same-origin" or "none";
        if (request.Headers.Origin is not [{ } origin]) return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && uri.Authority.Equals(new HostString(request.Host.Value ?? "").Value, StringComparison.OrdinalIgnoreCase);
    }

    private static bool HasMetricsToken(HttpRequest request, string path, HttpOptions options) =>
        path == "/metrics" && options.MetricsToken.Length > 0 && AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
        && header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header.Parameter ?? ""), Encoding.UTF8.GetBytes(options.MetricsToken));

    private static (string User, string Password)? Credentials(HttpRequest request)
    {
        if (!AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
            || !header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || header.Parameter is null) return null;
        var bytes = new byte[header.Parameter.Length];
        if (!Convert.TryFromBase64String(header.Parameter, bytes, out var count)) return null;
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, count));
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
    }
}
