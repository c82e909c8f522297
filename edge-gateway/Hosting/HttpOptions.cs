namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>Dashboard, API, metrics and health.</summary>
internal sealed class HttpOptions
{
    /// <summary>Where they listen. Default <c>http://127.0.0.1:8042</c>: this machine only. Changing it needs a restart.</summary>
    public string Url { get; set; } = "http://127.0.0.1:8042";
}
