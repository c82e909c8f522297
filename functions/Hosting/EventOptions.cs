using System.ComponentModel.DataAnnotations;

namespace DicomServerless.Functions.Hosting;

/// <summary>Options of events and of the sweep, section <c>Events</c>. Under the Functions host its triggers take their place.</summary>
public sealed class EventOptions
{
    /// <summary>
    /// The storage queue that blob events come through. Default dicom-events; the setting EVENTS_QUEUE, which the trigger uses, is taken where this is not
    /// given.
    /// </summary>
    public string Queue { get; set; } = "dicom-events";

    /// <summary>Whether this process reads the queue itself, outside the Functions host. Default true.</summary>
    public bool Poll { get; set; } = true;

    /// <summary>How long an empty queue is left alone. Seconds, 0.1 to 300. Default 2.</summary>
    [Range(0.1, 300, ErrorMessage = "Events:PollSeconds must be 0.1 to 300 seconds.")]
    public double PollSeconds { get; set; } = 2;

    /// <summary>
    /// How long a message is hidden from other readers; while it is worked on that is renewed, and where the process dies it comes again after that time.
    /// Seconds, 5 to 3,600. Default 300.
    /// </summary>
    [Range(5, 3600, ErrorMessage = "Events:HideSeconds must be 5 to 3600 seconds.")]
    public double HideSeconds { get; set; } = 300;

    /// <summary>How often the journal is swept outside the Functions host; 0 for never. Seconds, 0 to 86,400. Default 60.</summary>
    [Range(0, 86400, ErrorMessage = "Events:SweepSeconds must be 0 to 86400 seconds.")]
    public double SweepSeconds { get; set; } = 60;

    /// <summary>How often a message is tried before it goes to the poison queue. 1 to 100. Default 5.</summary>
    [Range(1, 100, ErrorMessage = "Events:MaxDequeueCount must be 1 to 100.")]
    public int MaxDequeueCount { get; set; } = 5;
}
