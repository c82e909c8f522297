namespace DicomServerless.Shared;

/// <summary>A request to storage that failed. As with the clients of the real services, it is no <see cref="IOException"/>.</summary>
public sealed class StorageFault() : Exception("The storage service failed.");
