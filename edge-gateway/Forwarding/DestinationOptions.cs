namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>How the gateway proves who it is.</summary>
internal enum AuthenticationKind
{
    /// <summary>Not at all, or by client certificate alone.</summary>
    None,
    /// <summary>User name and password (RFC 7617).</summary>
    Basic,
    /// <summary>A fixed header.</summary>
    ApiKey,
    /// <summary>OAuth2 client credentials (RFC 6749 4.4).</summary>
    ClientCredentials,
    /// <summary>The managed identity of the Azure machine.</summary>
    ManagedIdentity,
    /// <summary>A federated identity of Kubernetes (AZURE_FEDERATED_TOKEN_FILE).</summary>
    WorkloadIdentity,
}

/// <summary>How the gateway proves who it is to one destination.</summary>
internal sealed record AuthenticationOptions
{
    /// <summary>The way. Default none.</summary>
    public AuthenticationKind Kind { get; set; }
    /// <summary>Basic: the user.</summary>
    public string User { get; set; } = "";
    /// <summary>Basic: the password.</summary>
    public string Password { get; set; } = "";
    /// <summary>ApiKey: the header's name. Default <c>X-Api-Key</c>.</summary>
    public string Header { get; set; } = "X-Api-Key";
    /// <summary>ApiKey: the header's value.</summary>
    public string Key { get; set; } = "";
    /// <summary>ClientCredentials: where tokens are issued.</summary>
    public string TokenUrl { get; set; } = "";
    /// <summary>ClientCredentials: the client. Managed and workload identity: one of several identities; empty for the default.</summary>
    public string ClientId { get; set; } = "";
    /// <summary>ClientCredentials: the secret.</summary>
    public string ClientSecret { get; set; } = "";
    /// <summary>What the token is for, such as <c>https://dicom.healthcareapis.azure.com/.default</c>.</summary>
    public string Scope { get; set; } = "";
}

/// <summary>One DICOMweb server to which objects are forwarded.</summary>
internal sealed record DestinationOptions
{
    /// <summary>The DICOMweb base: <c>/studies</c> is appended.</summary>
    public string Url { get; set; } = "";
    /// <summary>
    /// Whether the server takes storage commitment over the web (PS3.18 chapter 13): then it is asked to commit, not only whether it has the objects. Default
    /// false.
    /// </summary>
    public bool CommitmentRequests { get; set; }
    /// <summary>How the gateway authenticates itself there.</summary>
    public AuthenticationOptions Authentication { get; set; } = new();
    /// <summary>A client certificate, PEM file; may be combined with every kind of authentication. Empty for none.</summary>
    public string ClientCertificate { get; set; } = "";
    /// <summary>Its private key, PEM file. Empty if it is in the same file.</summary>
    public string ClientCertificateKey { get; set; } = "";
    /// <summary>The authority that signed the server's certificate, PEM file. Empty for those of the machine.</summary>
    public string ServerCertificateAuthority { get; set; } = "";
    /// <summary>An HTTP proxy. Empty for what the environment says (HTTPS_PROXY).</summary>
    public string ProxyUrl { get; set; } = "";
    /// <summary>The proxy's user, if it asks for one.</summary>
    public string ProxyUser { get; set; } = "";
    /// <summary>The proxy's password.</summary>
    public string ProxyPassword { get; set; } = "";
    /// <summary>The most that is sent, all requests together. Mbit/s. Default 0: no limit.</summary>
    public double MaxBandwidthMbps { get; set; }
    /// <summary>When sending may begin, such as <c>18:00-06:00</c>. Empty: always.</summary>
    public string Window { get; set; } = "";
    /// <summary>The time zone of <see cref="Window"/>, such as <c>Europe/Berlin</c>. Default: that of the machine.</summary>
    public string TimeZone { get; set; } = "";
    /// <summary>Requests at the same time. Default 4.</summary>
    public int Parallelism { get; set; } = 4;
    /// <summary>The most that goes into one request, unless one object is larger. MiB. Default 64.</summary>
    public int MaxBatchMiB { get; set; } = 64;
    /// <summary>Objects above this go the way of <c>uploads</c>, where the server has it. MiB. Default 100, the limit of Azure Functions hosts.</summary>
    public int MaxBodyMiB { get; set; } = 100;
    /// <summary>How long one request may take beyond what the bandwidth explains. Seconds. Default 240: Azure's front end ends requests after 230.</summary>
    public int TimeoutSeconds { get; set; } = 240;
    /// <summary>
    /// Whether the failure reason 0x0111 (duplicate) counts as stored. For servers that say it of identical objects too, such as Google's. Default false: our
    /// archive says it only of other content under a known UID.
    /// </summary>
    public bool DuplicatesAreStored { get; set; }

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    /// <param name="section">Where these options stand, such as <c>Gateway:Destinations:archive</c>.</param>
    public IEnumerable<string> Problems(string section)
    {
        if (!IsWeb(Url)) yield return $"{section}:Url is '{WithoutUser(Url)}'. Give the DICOMweb base, such as https://archive.example/dicomweb.";
        if (ProxyUrl.Length > 0 && !IsWeb(ProxyUrl))
            yield return $"{section}:ProxyUrl is '{WithoutUser(ProxyUrl)}'. Give a URL such as http://proxy:3128, or leave it out.";
        if (MaxBandwidthMbps is < 0 or > 1_000_000 || double.IsNaN(MaxBandwidthMbps))
            yield return $"{section}:MaxBandwidthMbps is {MaxBandwidthMbps}. Use 0 for no limit.";
        if (!SendWindow.TryParse(Window, TimeZone, out _))
            yield return $"{section}:Window is '{Window}' in the time zone '{TimeZone}'. Write HH:mm-HH:mm and a zone such as Europe/Berlin.";
        if (Parallelism is < 1 or > 64) yield return $"{section}:Parallelism is {Parallelism}. Use 1 to 64, 4 if unsure.";
        if (MaxBatchMiB is < 1 or > 2_000) yield return $"{section}:MaxBatchMiB is {MaxBatchMiB}. Use 1 to 2000, 64 if unsure.";
        if (MaxBodyMiB is < 1 or > 1_000_000) yield return $"{section}:MaxBodyMiB is {MaxBodyMiB}. Use the server's limit, 100 for Azure Functions.";
        if (TimeoutSeconds is < 1 or > 86_400) yield return $"{section}:TimeoutSeconds is {TimeoutSeconds}. Use 1 to 86400, 240 if unsure.";
        foreach (var (key, file) in new[] { (nameof(ClientCertificate), ClientCertificate), (nameof(ClientCertificateKey), ClientCertificateKey),
            (nameof(ServerCertificateAuthority), ServerCertificateAuthority) })
            if (file.Length > 0 && !File.Exists(file)) yield return $"{section}:{key} is '{file}', which is not there. Name a PEM file.";
        foreach (var problem in AuthenticationProblems(section + ":Authentication")) yield return problem;
    }

    private IEnumerable<string> AuthenticationProblems(string section)
    {
        var missing = Authentication.Kind switch
        {
            AuthenticationKind.None => [],
            AuthenticationKind.Basic => Missing((nameof(Authentication.User), Authentication.User), (nameof(Authentication.Password), Authentication.Password)),
            AuthenticationKind.ApiKey => Missing((nameof(Authentication.Header), Authentication.Header), (nameof(Authentication.Key), Authentication.Key)),
            AuthenticationKind.ClientCredentials =>
                Missing((nameof(Authentication.ClientId), Authentication.ClientId), (nameof(Authentication.ClientSecret), Authentication.ClientSecret)),
            AuthenticationKind.ManagedIdentity or AuthenticationKind.WorkloadIdentity => Missing((nameof(Authentication.Scope), Authentication.Scope)),
            _ => new[] { nameof(Authentication.Kind) },
        };
        foreach (var key in missing) yield return $"{section}:{key} is missing; {Authentication.Kind} needs it.";
        if (Authentication.Kind == AuthenticationKind.ClientCredentials && !IsWeb(Authentication.TokenUrl))
            yield return $"{section}:TokenUrl is '{WithoutUser(Authentication.TokenUrl)}'. Give the URL of the token endpoint.";
    }

    /// <summary>Whether both talk to the same server in the same way, so that a change needs no new connections.</summary>
    public bool HasConnectionOf(DestinationOptions other) =>
        (Url, Authentication, ClientCertificate, ClientCertificateKey, ServerCertificateAuthority, ProxyUrl, ProxyUser, ProxyPassword)
        == (other.Url, other.Authentication, other.ClientCertificate, other.ClientCertificateKey, other.ServerCertificateAuthority, other.ProxyUrl,
            other.ProxyUser, other.ProxyPassword);

    // Problems are logged and shown on the dashboard: a user and password in a URL must not be.
    private static string WithoutUser(string url)
    {
        var at = url.LastIndexOf('@');
        var begin = url.IndexOf("//", StringComparison.Ordinal) is var slashes && slashes >= 0 && slashes < at ? slashes + 2 : 0;
        return at < 0 ? url : url[..begin] + "…" + url[at..];
    }

    private static bool IsWeb(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https");

    private static string[] Missing(params (string Key, string Value)[] needed) => [.. needed.Where(item => item.Value.Length == 0).Select(item => item.Key)];
}
