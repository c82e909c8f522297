using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Cryptography;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Dashboard;
using ForwardedHeaderNames = Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>Dashboard, API, metrics and health.</summary>
internal sealed class HttpOptions
{
    /// <summary>
    /// Where they listen. Default <c>http://127.0.0.1:8042</c>: this machine only. Other addresses need a password or OIDC. Changing it needs a restart.
    /// </summary>
    public string Url { get; set; } = "http://127.0.0.1:8042";

    /// <summary>The user of dashboard and API. Default <c>admin</c>.</summary>
    public string User { get; set; } = "admin";

    /// <summary>The user's password as <c>hash-password</c> prints it. Default none: on a loopback address no login is needed.</summary>
    public string PasswordHash { get; set; } = "";

    /// <summary>How long a login holds. Hours. Default 12.</summary>
    [Range(1, 720)] public int SessionHours { get; set; } = 12;

    /// <summary>A bearer token with which <c>/metrics</c> may be read where a login is needed. Default none.</summary>
    public string MetricsToken { get; set; } = "";

    /// <summary>A PEM file with the certificate for https, followed by those between it and the authority. Read again when it changes.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>A PEM file with its private key.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>
    /// Proxies whose X-Forwarded-For, -Proto and -Host headers count, as addresses or networks such as <c>10.1.0.0/16</c>: then logins are throttled by the
    /// browser's address, cookies are Secure, and OIDC comes back by https. Default none. Changing it needs a restart.
    /// </summary>
    public List<string> TrustedProxies { get; set; } = [];

    /// <summary>The most that a corrected file for the quarantine may have. MiB. Default 4,096.</summary>
    [Range(1, 1_048_576)] public int MaxReplaceMiB { get; set; } = 4_096;

    /// <summary>Logins at an OpenID provider.</summary>
    public OidcOptions Oidc { get; set; } = new();

    /// <summary>Whether a login is needed.</summary>
    public bool IsProtected => PasswordHash.Length > 0 || Oidc.Authority.Length > 0;

    /// <summary>Whether only this machine can reach it.</summary>
    public bool IsLoopback => Uri.TryCreate(Url, UriKind.Absolute, out var uri) && uri.IsLoopback;

    /// <summary>Whether users send their passwords and cookies over plain http from other machines.</summary>
    public bool SendsPasswordsInClear => IsProtected && !IsLoopback && Url.StartsWith("http:", StringComparison.OrdinalIgnoreCase) && TrustedProxies.Count == 0;

    /// <summary>What the trusted proxies are trusted with.</summary>
    public ForwardedHeadersOptions ForwardedHeaders()
    {
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaderNames.XForwardedFor | ForwardedHeaderNames.XForwardedProto | ForwardedHeaderNames.XForwardedHost,
        };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var proxy in TrustedProxies)
            if (CallerOptions.NetworkOf(proxy) is { } network) forwarded.KnownIPNetworks.Add(network);
        return forwarded;
    }

    private string? ProblemOfCertificate()
    {
        if (!File.Exists(CertificatePath) || !File.Exists(KeyPath)) return "a file is missing.";
        try
        {
            _ = new CertificateSource(CertificatePath, KeyPath, null);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return exception.Message;
        }
    }

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section)
    {
        foreach (var proxy in TrustedProxies.Where(proxy => CallerOptions.NetworkOf(proxy) is null))
            yield return $"{section}:TrustedProxies has \"{proxy}\": give an address, or a network such as 10.1.0.0/16 whose host bits are zero.";
        // Kestrel takes * and + for every address, Uri does not.
        var parsable = Url.Replace("//*", "//0.0.0.0", StringComparison.Ordinal).Replace("//+", "//0.0.0.0", StringComparison.Ordinal);
        if (!Uri.TryCreate(parsable, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.AbsolutePath != "/")
            yield return $"{section}:Url is \"{Url}\": give scheme, address and port, such as http://127.0.0.1:8042.";
        else if (uri.Scheme == "https" && ProblemOfCertificate() is { } unusable)
            yield return $"{section}:CertificatePath is \"{CertificatePath}\" and {section}:KeyPath is \"{KeyPath}\": https needs both as PEM files that can "
                + $"be read and that fit each other ({unusable})";
        if (!IsLoopback && !IsProtected)
            yield return $"{section}:Url is \"{Url}\": other machines can reach it, so set {section}:PasswordHash (made by the verb hash-password) "
                + $"or {section}:Oidc, or set it to http://127.0.0.1:8042.";
        if (User.Length == 0 || User.Contains(':', StringComparison.Ordinal))
            yield return $"{section}:User is \"{User}\": give a name without a colon (RFC 7617 2).";
        if (PasswordHash.Length > 0 && !Dashboard.PasswordHash.IsValid(PasswordHash))
            yield return $"{section}:PasswordHash is not a hash of a password: make one with the verb hash-password, which reads the password from its input.";
        if (MetricsToken.Length is > 0 and < 16) yield return $"{section}:MetricsToken is too short: take at least 16 random characters.";
        foreach (var problem in Oidc.Problems(section + ":Oidc")) yield return problem;
    }
}

/// <summary>Logins at an OpenID provider: authorization code flow with PKCE (RFC 6749 4.1, RFC 7636).</summary>
internal sealed class OidcOptions
{
    /// <summary>The provider's issuer URL, such as <c>https://login.microsoftonline.com/{tenant}/v2.0</c>. Default none: no OIDC.</summary>
    public string Authority { get; set; } = "";

    /// <summary>The client that the provider knows the gateway as.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>Its secret; empty for a public client.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>What is asked for. Default <c>openid profile</c>.</summary>
    public string Scope { get; set; } = "openid profile";

    /// <summary>The claim that <see cref="RequiredRole"/> stands in. Default <c>roles</c>.</summary>
    public string RoleClaim { get; set; } = "roles";

    /// <summary>The role that a user must have. Needed: otherwise every user of the provider could log in.</summary>
    public string RequiredRole { get; set; } = "";

    /// <summary>The gateway's address as browsers see it, for the way back. Default what the request says.</summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    public IEnumerable<string> Problems(string section)
    {
        if (Authority.Length == 0) yield break;
        // The ID token's signature need not be checked when TLS vouches for who gave it (OpenID Connect Core 3.1.3.7).
        if (!Uri.TryCreate(Authority, UriKind.Absolute, out var uri) || (uri.Scheme != "https" && !(uri.Scheme == "http" && uri.IsLoopback)))
            yield return $"{section}:Authority is \"{Authority}\": give the https URL of the issuer.";
        if (ClientId.Length == 0) yield return $"{section}:ClientId is missing: give the id that the provider knows the gateway as.";
        if (RequiredRole.Length == 0) yield return $"{section}:RequiredRole is missing: name the role that users of the gateway have in the claim {RoleClaim}.";
        if (!Scope.Split(' ').Contains("openid")) yield return $"{section}:Scope is \"{Scope}\": it must contain openid.";
        if (PublicUrl.Length > 0 && (!Uri.TryCreate(PublicUrl, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")))
            yield return $"{section}:PublicUrl is \"{PublicUrl}\": give a URL such as https://gateway.example.";
    }
}
